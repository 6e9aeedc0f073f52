package consumer

import "context"

func (c *Consumer) markRated(ctx context.Context, booking string) error { return nil }
