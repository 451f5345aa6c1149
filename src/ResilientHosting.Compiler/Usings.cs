// What crosses the border to ResilientHosting.dll has to be made of the base library's types.
global using CompileDelegate = System.Func<
    System.Collections.Generic.IReadOnlyCollection<string>,
    bool,
    System.Threading.CancellationToken,
    (byte[] Image,
    byte[] Symbols,
    (byte[] Metadata, byte[] IL, byte[] Symbols)? Delta,
    (string Id, int Severity, string Path, int Line, int Column, string Message)[] Diagnostics)>;
global using DiagnosticRow = (string Id, int Severity, string Path, int Line, int Column, string Message);
global using ImageDelta = (byte[] Metadata, byte[] IL, byte[] Symbols);
