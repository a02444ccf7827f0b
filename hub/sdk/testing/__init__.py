"""What partner IT tests a connector with: sandbox engine, sandbox process, plain context."""
