using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Reflection.Metadata;
using System.Runtime.Loader;

namespace ResilientHosting.Reloading;

/// <summary>
/// Holds what one generation owns: the application, the libraries built from its solution, and packages that changed since the
/// process started. The framework and all other packages stay in the base, loaded and compiled once for all generations; and so does
/// this library, which outlives them.
/// </summary>
/// <remarks>
/// Assemblies are loaded from memory: nothing on disk is locked or mapped, and what asks for its location falls back to the
/// application's base folder, which is where static web assets and content lie.
/// </remarks>
[RequiresUnreferencedCode("Loads the application again.")]
internal sealed class GenerationLoadContext : AssemblyLoadContext
{
    private readonly ConcurrentDictionary<string, Assembly> _loaded = new();
    private readonly AssemblyDependencyResolver? _native;
    private ProgramImage? _program;

    public GenerationLoadContext(int generation, ProgramImage program)
        : base($"generation {generation}", isCollectible: true)
    {
        _program = program;
        _native = program.BuiltAs is null ? null : new AssemblyDependencyResolver(program.BuiltAs);

        // Once it is unloading, the runtime holds on to this object until nothing refers to the assemblies any more; nor must this.
        // Execution contexts may hold it for longer still.
        Unloading += static context =>
        {
            var unloaded = (GenerationLoadContext)context;
            unloaded._loaded.Clear();
            unloaded._program = null;
        };
    }

    public Assembly LoadApplication()
    {
        var application = LoadImage(_program!.Application);
        _loaded[application.GetName().Name!] = application;
        return application;
    }

    protected override Assembly? Load(AssemblyName assemblyName)
    {
        var name = assemblyName.CultureName is { Length: > 0 } culture ? $"{culture}/{assemblyName.Name}" : assemblyName.Name!;
        if (_loaded.TryGetValue(name, out var loaded))
        {
            return loaded;
        }

        if (_program?.Libraries.TryGetValue(name, out var library) != true)
        {
            return null;
        }

        lock (_loaded)
        {
            return _loaded.GetOrAdd(name, _ => LoadImage(library!));
        }
    }

    protected override nint LoadUnmanagedDll(string unmanagedDllName) =>
        _native?.ResolveUnmanagedDllToPath(unmanagedDllName) is { } path ? LoadUnmanagedDllFromPath(path) : base.LoadUnmanagedDll(unmanagedDllName);

    private Assembly LoadImage(AssemblyImage image)
    {
        using var assembly = Visible(image.Image);
        using var symbols = image.Symbols is null ? null : Visible(image.Symbols);
        var loaded = LoadFromStream(assembly, symbols);

        // Nothing of the assembly has run yet, so there is nothing that an update could be too late for.
        if (image.Delta is { } delta)
        {
            MetadataUpdater.ApplyUpdate(loaded, delta.Metadata, delta.IL, delta.Symbols);
        }

        return loaded;
    }

    /// <summary>The runtime reads such a stream where it is, and any other into an array of its own first.</summary>
    private static MemoryStream Visible(byte[] image) => new(image, 0, image.Length, writable: false, publiclyVisible: true);
}
