using System.Reflection.Metadata;

namespace ResilientHosting.Reloading;

/// <summary>Finds the project an application was built from: its debug symbols name the source files, which lie beside the project.</summary>
internal static class ProjectLocator
{
    public static string? Find(string assemblyPath) =>
        SourceFolders(assemblyPath)
            .SelectMany(Ancestors)
            .Distinct()
            .SelectMany(directory => Directory.EnumerateFiles(directory, "*.??proj"))
            .FirstOrDefault(project => Builds(project, Path.GetFileNameWithoutExtension(assemblyPath)));

    private static HashSet<string> SourceFolders(string assemblyPath)
    {
        var symbolsPath = Path.ChangeExtension(assemblyPath, ".pdb");
        if (!File.Exists(symbolsPath))
        {
            return [];
        }

        using var provider = MetadataReaderProvider.FromPortablePdbStream(File.OpenRead(symbolsPath));
        try
        {
            var symbols = provider.GetMetadataReader();
            return [.. symbols.Documents
                .Select(handle => symbols.GetString(symbols.GetDocument(handle).Name))
                .Where(path => Path.GetExtension(path) is ".cs" or ".fs" or ".vb" && File.Exists(path))
                .Select(path => Path.GetDirectoryName(path)!)];
        }
        catch (BadImageFormatException)
        {
            // Symbols in the old Windows format name no files that we could read.
            return [];
        }
    }

    private static IEnumerable<string> Ancestors(string directory)
    {
        for (var current = new DirectoryInfo(directory); current is not null; current = current.Parent)
        {
            if (current.Exists)
            {
                yield return current.FullName;
            }
        }
    }

    private static bool Builds(string projectPath, string assemblyName) =>
        Path.GetFileNameWithoutExtension(projectPath) == assemblyName
        || File.ReadAllText(projectPath).Contains($"<AssemblyName>{assemblyName}</AssemblyName>", StringComparison.Ordinal);
}
