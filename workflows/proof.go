package workflows

// prove searches the states that requests can come to.
func (c *inspection) prove() {}
