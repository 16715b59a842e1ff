"""What describes and watches the service: health, documents, metrics."""
