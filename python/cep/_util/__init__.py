"""What every part uses: validation, files, signals, parallel calls, optional imports, tables."""
