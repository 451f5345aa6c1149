using System.Reflection;
using System.Runtime.Loader;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace ResilientHosting.Compiler;

/// <summary>Loads source generators beside the compiler they were built for.</summary>
internal sealed class GeneratorLoader : IAnalyzerAssemblyLoader
{
    private readonly AssemblyLoadContext _compiler;
    private readonly HashSet<string> _own;
    private readonly OwnGenerators _ownContext;
    private readonly HashSet<string> _directories = [];

    private GeneratorLoader(AssemblyLoadContext compiler, HashSet<string> own)
    {
        _compiler = compiler;
        _own = own;
        _ownContext = new OwnGenerators(compiler, [.. own.Select(path => Path.GetDirectoryName(path)!).Distinct()]);
        _compiler.Resolving += Probe;
    }

    /// <param name="analyzerPaths">Every analyzer of the project.</param>
    /// <param name="own">Those that the solution builds itself. A later call may find others under the same paths.</param>
    /// <param name="compiler">The context of the compiler.</param>
    /// <exception cref="InvalidOperationException">
    /// A generator can't be loaded. Without it the program would compile to something else, perhaps without a single error.
    /// </exception>
    public static ISourceGenerator[] Load(IEnumerable<string> analyzerPaths, IEnumerable<string> own, AssemblyLoadContext compiler)
    {
        var loader = new GeneratorLoader(compiler, [.. own]);
        var failures = new List<string>();
        var references = analyzerPaths.Select(path => new AnalyzerFileReference(path, loader)).ToArray();
        foreach (var reference in references)
        {
            loader.AddDependencyLocation(reference.FullPath);
            reference.AnalyzerLoadFailed += (_, failure) =>
            {
                // An analyzer library without a single C# generator or analyzer is no failure.
                if (failure.ErrorCode != AnalyzerLoadFailureEventArgs.FailureErrorCode.NoAnalyzers)
                {
                    failures.Add($"{reference.Display}: {failure.Message}");
                }
            };
        }

        var generators = references.SelectMany(reference => reference.GetGenerators(LanguageNames.CSharp)).ToArray();
        return failures.Count == 0
            ? generators
            : throw new InvalidOperationException("Source generators could not be loaded: " + string.Join("; ", failures));
    }

    public void AddDependencyLocation(string fullPath)
    {
        if (!_own.Contains(fullPath))
        {
            _directories.Add(Path.GetDirectoryName(fullPath)!);
        }
    }

    public Assembly LoadFromPath(string fullPath) =>
        _own.Contains(fullPath) ? _ownContext.LoadFile(fullPath) : _compiler.LoadFromAssemblyPath(fullPath);

    private Assembly? Probe(AssemblyLoadContext context, AssemblyName name) =>
        _directories
            .Select(directory => Path.Combine(directory, name.Name + ".dll"))
            .Where(File.Exists)
            .Select(context.LoadFromAssemblyPath)
            .FirstOrDefault();

    /// <summary>
    /// Holds the generators that the solution builds itself, from memory: the files can be written again, and the next build's
    /// generator is another assembly. The runtime drops the context with the last project that uses it.
    /// </summary>
    private sealed class OwnGenerators(AssemblyLoadContext compiler, string[] directories)
        : AssemblyLoadContext("ResilientHosting generators of the solution", isCollectible: true)
    {
        private readonly Dictionary<string, Assembly> _loaded = [];

        public Assembly LoadFile(string path)
        {
            lock (_loaded)
            {
                if (!_loaded.TryGetValue(path, out var assembly))
                {
                    using var image = new MemoryStream(File.ReadAllBytes(path), writable: false);
                    _loaded[path] = assembly = LoadFromStream(image);
                }

                return assembly;
            }
        }

        protected override Assembly? Load(AssemblyName assemblyName)
        {
            // Types of the compiler and of the base library have to be the compiler's own.
            var name = assemblyName.Name!;
            var file = name.StartsWith("Microsoft.CodeAnalysis", StringComparison.Ordinal) || name.StartsWith("System.", StringComparison.Ordinal)
                ? null
                : directories.Select(directory => Path.Combine(directory, name + ".dll")).FirstOrDefault(File.Exists);
            return file is null ? compiler.LoadFromAssemblyName(assemblyName) : LoadFile(file);
        }
    }
}
