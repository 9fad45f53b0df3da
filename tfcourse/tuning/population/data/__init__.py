"""What a population trains on: arrays on the device, in mini-batches."""
