"""Files in and out: contacts and past events from CSV and XLSX, exports that are safe to open."""
