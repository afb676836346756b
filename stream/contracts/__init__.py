"""What crosses the wire: customer events in, segment changes out."""
