"""What the splits of a set are called."""

TRAIN, VALIDATION, TEST = range(3)
NAMES = {
    TRAIN: ("train", "training"),
    VALIDATION: ("validation", "valid", "val", "dev"),
    TEST: ("test", "testing"),
}
