namespace ResilientHosting.Reloading;

/// <summary>How MSBuild would compile a C# project: the compiler's own arguments, and where compiler and outputs are.</summary>
internal sealed record CompilerCommandLine(
    string ProjectPath,
    IReadOnlyList<string> Arguments,
    string RoslynDirectory,
    string IntermediateDirectory,
    IReadOnlyList<string> DefaultExcludes)
{
    public string ProjectDirectory => Path.GetDirectoryName(ProjectPath)!;

    /// <summary>Gets the full paths of the files that are compiled: sources, and additional files for generators such as Razor's.</summary>
    public IEnumerable<string> SourceFiles => Arguments
        .Where(argument => argument.Length > 0 && (argument[0] != '/' || (File.Exists(argument) && SourceTree.IsSource(argument))))
        .Concat(Arguments
            .Where(argument => argument.StartsWith("/additionalfile:", StringComparison.Ordinal))
            .Select(argument => argument["/additionalfile:".Length..]))
        .Select(path => Path.GetFullPath(path.Trim('"'), ProjectDirectory))
        .Where(SourceTree.IsSource);
}
