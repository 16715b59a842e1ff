"""What happens in groups by itself: rules, captchas, raids, reports, welcomes."""
