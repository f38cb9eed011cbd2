"""What the registry shows: every queryset begins with `visible_to`, every value goes through `sight`."""
