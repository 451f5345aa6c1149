using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.Loader;

namespace ResilientHosting.Reloading;

/// <summary>The SDK's compiler in this process, apart from any Roslyn the application carries.</summary>
[RequiresUnreferencedCode("Loads the SDK's compiler.")]
[RequiresDynamicCode("Loads the SDK's compiler.")]
internal sealed class RoslynLoadContext : AssemblyLoadContext
{
    private readonly string _directory;

    public RoslynLoadContext(string directory)
        : base("ResilientHosting compiler")
    {
        _directory = directory;
        using var image = typeof(RoslynLoadContext).Assembly.GetManifestResourceStream("ResilientHosting.Compiler.dll")!;
        OpenProject = LoadFromStream(image).GetType("ResilientHosting.Compiler.ProjectCompiler", throwOnError: true)!
            .GetMethod("Open", BindingFlags.Public | BindingFlags.Static)!
            .CreateDelegate<Func<string[], string, string[], bool, bool, CompileDelegate>>();
    }

    /// <summary>Gets the folder of the SDK that the compiler was loaded from.</summary>
    public string Directory => _directory;

    /// <summary>
    /// Gets what opens a project: its command line, its folder, the generators that the solution builds itself, whether deltas are
    /// wanted, whether other projects refer to it.
    /// </summary>
    public Func<string[], string, string[], bool, bool, CompileDelegate> OpenProject { get; }

    protected override Assembly? Load(AssemblyName assemblyName)
    {
        if (assemblyName.Name?.StartsWith("Microsoft.CodeAnalysis", StringComparison.Ordinal) != true)
        {
            return null;
        }

        var path = Path.Combine(_directory, assemblyName.Name + ".dll");
        return File.Exists(path) ? LoadFromAssemblyPath(path) : null;
    }
}
