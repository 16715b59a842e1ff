"""What describes and checks the bus as a whole: AsyncAPI, compatibility, what a subject says, answers as bytes.."""
