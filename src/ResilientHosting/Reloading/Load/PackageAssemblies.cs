using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Runtime.Loader;
using System.Text.Json;

namespace ResilientHosting.Reloading;

/// <summary>
/// The assemblies of packages that a generation brings along itself, because the process has none of that name in its base, or
/// another one. Whatever depends on them comes along too: in the base it would still see the old ones.
/// </summary>
internal static class PackageAssemblies
{
    /// <summary>Reads them from the folder that an application was built into, by simple assembly name.</summary>
    public static IReadOnlyDictionary<string, AssemblyImage> ReadChanged(string assemblyPath, IReadOnlyDictionary<string, string> inBase)
    {
        var packaged = Find(assemblyPath);
        var changed = packaged.Keys.Where(name => !IsSame(name, packaged[name], inBase)).ToHashSet();
        var references = packaged.ToDictionary(package => package.Key, package => ReadReferences(package.Value));
        while (packaged.Keys.Where(name => !changed.Contains(name) && references[name].Any(changed.Contains)).ToArray() is { Length: > 0 } dependents)
        {
            changed.UnionWith(dependents);
        }

        return changed.ToDictionary(name => name, name => AssemblyImage.Read(packaged[name]));
    }

    /// <summary>What the process could load when it started: simple assembly name to path.</summary>
    public static IReadOnlyDictionary<string, string> ReadBase() => ((string?)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES") ?? "")
        .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
        .DistinctBy(Path.GetFileNameWithoutExtension)
        .ToDictionary(path => Path.GetFileNameWithoutExtension(path), path => path);

    private static Dictionary<string, string> Find(string assemblyPath)
    {
        var manifest = Path.ChangeExtension(assemblyPath, ".deps.json");
        using var document = JsonDocument.Parse(File.ReadAllBytes(manifest));
        var packages = document.RootElement.GetProperty("libraries").EnumerateObject()
            .Where(library => library.Value.GetProperty("type").GetString() != "project")
            .Select(library => library.Name)
            .ToHashSet();

        // The runtime's own rules say which of several files suits this machine.
        var resolver = new AssemblyDependencyResolver(assemblyPath);
        var own = typeof(PackageAssemblies).Assembly.GetName().Name;
        return document.RootElement.GetProperty("targets").EnumerateObject()
            .SelectMany(target => target.Value.EnumerateObject())
            .Where(library => packages.Contains(library.Name))
            .SelectMany(library => Files(library.Value, "runtime").Concat(Files(library.Value, "runtimeTargets")))
            .Where(file => Path.GetExtension(file) == ".dll")
            .Select(file => Path.GetFileNameWithoutExtension(file)!)
            .Where(name => name != own)
            .Distinct()
            .Select(name => (Name: name, Path: resolver.ResolveAssemblyToPath(new AssemblyName(name))))
            .Where(package => package.Path is not null)
            .ToDictionary(package => package.Name, package => package.Path!);
    }

    private static IEnumerable<string> Files(JsonElement library, string kind) =>
        library.TryGetProperty(kind, out var files) ? files.EnumerateObject().Select(file => file.Name) : [];

    private static bool IsSame(string name, string path, IReadOnlyDictionary<string, string> inBase) =>
        inBase.TryGetValue(name, out var known)
        && (IsFramework(known, inBase) || known == path || ReadIdentity(known) == ReadIdentity(path));

    /// <summary>shared/Microsoft.AspNetCore.App/[version]/[name].dll, as shared/Microsoft.NETCore.App/[version]/System.Private.CoreLib.dll.</summary>
    private static bool IsFramework(string path, IReadOnlyDictionary<string, string> inBase) =>
        inBase.TryGetValue("System.Private.CoreLib", out var core)
        && SourceTree.IsUnder(Path.GetFullPath(Path.Combine(core, "..", "..", "..")), path);

    private static Guid ReadIdentity(string path) =>
        Read(path, metadata => metadata.GetGuid(metadata.GetModuleDefinition().Mvid));

    private static string[] ReadReferences(string path) => Read<string[]>(
        path,
        metadata => [.. metadata.AssemblyReferences.Select(handle => metadata.GetString(metadata.GetAssemblyReference(handle).Name))]);

    private static T Read<T>(string path, Func<MetadataReader, T> read)
    {
        using var image = new PEReader(File.OpenRead(path));
        return read(image.GetMetadataReader());
    }
}
