"""What people look at: pages and figures, drawn from a store alone, so that they can be drawn again."""
