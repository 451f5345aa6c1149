using System.Text.Json;

namespace ResilientHosting.Reloading;

/// <summary>The assemblies beside the application that were built from projects rather than taken from packages.</summary>
internal static class ProjectLibraries
{
    /// <summary>Reads them from the application's <c>.deps.json</c>: simple assembly name to path.</summary>
    public static IReadOnlyDictionary<string, string> Read(string assemblyPath)
    {
        var libraries = new Dictionary<string, string>();
        var directory = Path.GetDirectoryName(assemblyPath)!;
        var manifest = Path.ChangeExtension(assemblyPath, ".deps.json");
        if (!File.Exists(manifest))
        {
            return libraries;
        }

        using var document = JsonDocument.Parse(File.ReadAllBytes(manifest));
        var projects = document.RootElement.GetProperty("libraries").EnumerateObject()
            .Where(library => library.Value.GetProperty("type").GetString() == "project")
            .Select(library => library.Name)
            .ToHashSet();

        foreach (var target in document.RootElement.GetProperty("targets").EnumerateObject())
        {
            foreach (var library in target.Value.EnumerateObject().Where(library => projects.Contains(library.Name)))
            {
                if (!library.Value.TryGetProperty("runtime", out var files))
                {
                    continue;
                }

                foreach (var file in files.EnumerateObject())
                {
                    libraries[Path.GetFileNameWithoutExtension(file.Name)] = Path.Combine(directory, Path.GetFileName(file.Name));
                }
            }
        }

        // The application itself comes as an image, and this library is the ground the generations stand on.
        libraries.Remove(Path.GetFileNameWithoutExtension(assemblyPath));
        libraries.Remove(typeof(ProjectLibraries).Assembly.GetName().Name!);
        return libraries;
    }
}
