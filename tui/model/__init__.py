"""What the screens show, whichever server it comes from; pure."""
