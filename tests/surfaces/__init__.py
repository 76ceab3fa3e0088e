"""Loss surfaces and descents."""
