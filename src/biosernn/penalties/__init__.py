"""What the training adds to the loss for the recurrent weights' place and shape."""
