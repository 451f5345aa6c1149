namespace ResilientHosting.Reloading;

/// <summary>What a file is to a build, by its name.</summary>
internal enum InputKind
{
    /// <summary>Nothing in particular. It may still be listed by a project.</summary>
    Other,

    /// <summary>C# or Razor, which the compiler in this process reads.</summary>
    Source,

    /// <summary>Another language, which only the SDK compiles.</summary>
    ForeignSource,

    /// <summary>What MSBuild evaluates, and where packages come from.</summary>
    BuildFile,

    /// <summary>What tools of the build turn into code or resources.</summary>
    BuildInput,

    /// <summary>Severities and options of compiler, analyzers and generators.</summary>
    AnalyzerConfig,

    /// <summary>Settings of the application.</summary>
    Configuration,

    /// <summary>Profiles of <c>dotnet run</c>.</summary>
    LaunchSettings,
}

internal static class InputFile
{
    /// <summary>The files that a project inherits from the folders above it.</summary>
    public static readonly IReadOnlyList<string> Inherited =
    [
        "Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props", "Directory.Build.rsp",
        "global.json", "nuget.config", "NuGet.config", "NuGet.Config", ".editorconfig", ".globalconfig",
    ];

    public static bool IsSource(string path) => KindOf(path) == InputKind.Source;

    public static InputKind KindOf(string path) => KindOf(path.AsSpan());

    public static InputKind KindOf(ReadOnlySpan<char> path)
    {
        var name = Path.GetFileName(path);
        var kind = KindOf(name, Path.GetExtension(name));

        // A leading dot is how editors name their own files, except those that are meant to have one.
        return name is ['.', ..] && kind != InputKind.AnalyzerConfig ? InputKind.Other : kind;
    }

    private static InputKind KindOf(ReadOnlySpan<char> name, ReadOnlySpan<char> extension) => extension switch
    {
        ".cs" or ".razor" or ".cshtml" => InputKind.Source,
        ".fs" or ".fsi" or ".vb" => InputKind.ForeignSource,
        ".csproj" or ".fsproj" or ".vbproj" or ".projitems" or ".props" or ".targets" or ".rsp" => InputKind.BuildFile,
        ".user" when name.Contains("proj.", StringComparison.Ordinal) => InputKind.BuildFile,
        ".resx" or ".proto" => InputKind.BuildInput,
        ".css" when name.EndsWith(".razor.css", StringComparison.Ordinal) || name.EndsWith(".cshtml.css", StringComparison.Ordinal) => InputKind.BuildInput,
        ".editorconfig" or ".globalconfig" => InputKind.AnalyzerConfig,
        ".json" => KindOfJson(name),
        ".config" when name.Equals("nuget.config", StringComparison.OrdinalIgnoreCase) => InputKind.BuildFile,
        _ => InputKind.Other,
    };

    private static InputKind KindOfJson(ReadOnlySpan<char> name) => name switch
    {
        "global.json" or "packages.lock.json" => InputKind.BuildFile,
        "launchSettings.json" => InputKind.LaunchSettings,
        "secrets.json" => InputKind.Configuration,
        _ => name.StartsWith("appsettings", StringComparison.OrdinalIgnoreCase) ? InputKind.Configuration : InputKind.Other,
    };
}
