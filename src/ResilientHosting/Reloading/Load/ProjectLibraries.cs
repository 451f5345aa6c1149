using System.Text.Json;

namespace ResilientHosting.Reloading;

/// <summary>The assemblies beside an application that were built from projects rather than taken from packages.</summary>
internal static class ProjectLibraries
{
    /// <summary>Reads an application and its libraries as a build has left them.</summary>
    public static ProgramImage ReadProgram(string assemblyPath) => new(
        AssemblyImage.Read(assemblyPath),
        Find(assemblyPath).Where(library => File.Exists(library.Value)).ToDictionary(library => library.Key, library => AssemblyImage.Read(library.Value)));

    /// <summary>Finds them in the application's <c>.deps.json</c>: simple assembly name (<c>culture/name</c> if localized) to path.</summary>
    public static IReadOnlyDictionary<string, string> Find(string assemblyPath)
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
                foreach (var file in Files(library.Value, "runtime"))
                {
                    libraries[Path.GetFileNameWithoutExtension(file.Name)] = Path.Combine(directory, Path.GetFileName(file.Name));
                }

                foreach (var file in Files(library.Value, "resources"))
                {
                    var culture = file.Value.GetProperty("locale").GetString()!;
                    libraries[$"{culture}/{Path.GetFileNameWithoutExtension(file.Name)}"] = Path.Combine(directory, culture, Path.GetFileName(file.Name));
                }
            }
        }

        // The application itself comes as an image, and this library is the ground the generations stand on.
        libraries.Remove(Path.GetFileNameWithoutExtension(assemblyPath));
        libraries.Remove(typeof(ProjectLibraries).Assembly.GetName().Name!);
        return libraries;
    }

    private static JsonElement.ObjectEnumerator Files(JsonElement library, string kind) =>
        library.TryGetProperty(kind, out var files) ? files.EnumerateObject() : default;
}
