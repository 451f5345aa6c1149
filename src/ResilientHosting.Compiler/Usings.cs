// Parts of what crosses the border; see Border.cs.
global using DiagnosticRow = (string Id, int Severity, string Path, int Line, int Column, string Message);
global using ImageDelta = (byte[] Metadata, byte[] IL, byte[] Symbols);
