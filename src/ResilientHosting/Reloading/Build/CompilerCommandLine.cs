using System.Globalization;
using System.Text;

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
        .Where(argument => argument.Length > 0 && (argument[0] != '/' || (File.Exists(argument) && InputFile.IsSource(argument))))
        .Select(FullPath)
        .Where(InputFile.IsSource)
        .Concat(Values("/additionalfile:").Select(FullPath));

    /// <summary>Gets the files of other projects and of packages that the compiler reads.</summary>
    public IEnumerable<string> References => Values("/reference:");

    /// <summary>Gets the analyzers and source generators.</summary>
    public IEnumerable<string> Analyzers => Values("/analyzer:").Select(FullPath);

    /// <summary>
    /// Gets a text that changes when the compiler has to be opened anew: its arguments, and the state of the files among them that
    /// others write, such as references, generators and resources. The project's own sources are not part of it.
    /// </summary>
    public string Fingerprint
    {
        get
        {
            var sources = SourceFiles.Where(path => !SourceTree.IsUnder(IntermediateDirectory, path)).ToHashSet();
            var text = new StringBuilder();
            foreach (var argument in Arguments)
            {
                var file = FullPath(argument[0] == '/' && argument.IndexOf(':', StringComparison.Ordinal) is var colon and > 0
                    ? argument[(colon + 1)..].Split(',')[0]
                    : argument);
                text.AppendLine(argument);
                if (!sources.Contains(file) && new FileInfo(file) is { Exists: true } info)
                {
                    text.AppendLine(CultureInfo.InvariantCulture, $"{info.LastWriteTimeUtc.Ticks} {info.Length}");
                }
            }

            return text.ToString();
        }
    }

    private IEnumerable<string> Values(string option) => Arguments
        .Where(argument => argument.StartsWith(option, StringComparison.Ordinal))
        .Select(argument => argument[option.Length..].Trim('"'));

    private string FullPath(string path) => Path.GetFullPath(path.Trim('"'), ProjectDirectory);
}
