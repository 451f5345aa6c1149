using System.Globalization;

namespace ResilientHosting.Reloading;

/// <summary>A warning or an error of the compiler. Prints as <c>dotnet build</c> prints it, so that terminals make it a link.</summary>
internal sealed record BuildDiagnostic(string Id, bool IsError, string Path, int Line, int Column, string Message)
{
    /// <summary>Gets the project it belongs to; null where there is only one.</summary>
    public string? Project { get; init; }

    public override string ToString()
    {
        var what = $"{(IsError ? "error" : "warning")} {Id}: {Message}{(Project is null ? "" : $" [{Project}]")}";
        return Path.Length == 0 ? what
            : Line == 0 ? $"{Path}: {what}"
            : string.Create(CultureInfo.InvariantCulture, $"{Path}({Line},{Column}): {what}");
    }
}

/// <summary>An edit to an image that is already there: metadata, code and debug symbols, in the runtime's own format.</summary>
internal sealed record ImageDelta(byte[] Metadata, byte[] IL, byte[] Symbols);

/// <summary>An assembly ready to be loaded: its bytes, its portable debug symbols, and the delta to apply before it runs, if there is one.</summary>
internal sealed record AssemblyImage(byte[] Image, byte[]? Symbols, ImageDelta? Delta)
{
    /// <summary>Gets when a build wrote it; null if it was compiled in this process.</summary>
    public DateTime? Written { get; init; }

    /// <summary>Reads an assembly that a build has left on disk.</summary>
    public static AssemblyImage Read(string path)
    {
        var symbols = Path.ChangeExtension(path, ".pdb");
        return new AssemblyImage(File.ReadAllBytes(path), File.Exists(symbols) ? File.ReadAllBytes(symbols) : null, null)
        {
            Written = File.GetLastWriteTimeUtc(path),
        };
    }
}

/// <summary>
/// Everything a generation is loaded from: the application, and by assembly name (<c>culture/name</c> for what is localized) the
/// libraries built from its solution and those of packages that the process itself lacks or has in another version.
/// </summary>
internal sealed record ProgramImage(AssemblyImage Application, IReadOnlyDictionary<string, AssemblyImage> Libraries)
{
    /// <summary>Gets the application's file in the folder that native libraries come from; null if the process's own will do.</summary>
    public string? BuiltAs { get; init; }

    /// <summary>Gets a value indicating whether any of its assemblies is an older image with a delta to apply.</summary>
    public bool HasDelta => Application.Delta is not null || Libraries.Values.Any(library => library.Delta is not null);

    /// <summary>Whether it consists of the very same images as another: nothing was compiled in between that made a difference.</summary>
    public bool IsSameAs(ProgramImage other) =>
        Application == other.Application
        && Libraries.Count == other.Libraries.Count
        && Libraries.All(library => other.Libraries.TryGetValue(library.Key, out var same) && library.Value == same);
}

/// <summary>What came out of a build. There is a program exactly when there is no error.</summary>
internal sealed record BuildResult(ProgramImage? Program, IReadOnlyList<BuildDiagnostic> Diagnostics)
{
    public IEnumerable<BuildDiagnostic> Errors => Diagnostics.Where(diagnostic => diagnostic.IsError);
}
