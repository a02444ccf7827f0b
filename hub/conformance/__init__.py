"""The conformance kit: tries a pack in a real host, against a receiver of the kit's own, and names every fault."""
