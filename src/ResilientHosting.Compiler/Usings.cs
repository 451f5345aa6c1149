// What crosses the border to ResilientHosting.dll has to be made of the base library's types.
global using DiagnosticRow = (string Id, int Severity, string Path, int Line, int Column, string Message);
