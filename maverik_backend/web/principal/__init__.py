"""Who sends a request, one resolver a surface; each puts its :class:`Principal` into ``request.state.principal``."""
