using System.Globalization;

namespace ResilientHosting.Reloading;

/// <summary>A warning or an error of the compiler. Prints as <c>dotnet build</c> prints it, so that terminals make it a link.</summary>
internal sealed record BuildDiagnostic(string Id, bool IsError, string Path, int Line, int Column, string Message)
{
    public override string ToString()
    {
        var what = $"{(IsError ? "error" : "warning")} {Id}: {Message}";
        return Path.Length == 0 ? what
            : Line == 0 ? $"{Path}: {what}"
            : string.Create(CultureInfo.InvariantCulture, $"{Path}({Line},{Column}): {what}");
    }
}

/// <summary>An assembly ready to be loaded: its bytes and its portable debug symbols.</summary>
internal sealed record AssemblyImage(byte[] Image, byte[]? Symbols);

/// <summary>What came out of a compilation. There is an image exactly when there is no error.</summary>
internal sealed record BuildResult(AssemblyImage? Image, IReadOnlyList<BuildDiagnostic> Diagnostics)
{
    public IEnumerable<BuildDiagnostic> Errors => Diagnostics.Where(diagnostic => diagnostic.IsError);
}
