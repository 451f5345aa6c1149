// What crosses the border between ResilientHosting.dll and its compiler has to be made of the base library's types. Both compile this file.
global using CompileDelegate = System.Func<
    System.Collections.Generic.IReadOnlyCollection<string>,
    System.Collections.Generic.IReadOnlyDictionary<string, byte[]>,
    bool,
    System.Threading.CancellationToken,
    (byte[] Image,
    byte[] Symbols,
    (byte[] Metadata, byte[] IL, byte[] Symbols)? Delta,
    byte[]? Reference,
    (string Id, int Severity, string Path, int Line, int Column, string Message)[] Diagnostics)>;
