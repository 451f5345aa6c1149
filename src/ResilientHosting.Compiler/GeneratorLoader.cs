using System.Reflection;
using System.Runtime.Loader;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace ResilientHosting.Compiler;

/// <summary>Loads source generators beside the compiler they were built for.</summary>
internal sealed class GeneratorLoader : IAnalyzerAssemblyLoader
{
    private readonly AssemblyLoadContext _context;
    private readonly HashSet<string> _directories = [];

    private GeneratorLoader(AssemblyLoadContext context)
    {
        _context = context;
        _context.Resolving += Probe;
    }

    /// <exception cref="InvalidOperationException">
    /// A generator can't be loaded. Without it the program would compile to something else, perhaps without a single error.
    /// </exception>
    public static ISourceGenerator[] Load(IEnumerable<string> analyzerPaths, AssemblyLoadContext context)
    {
        var loader = new GeneratorLoader(context);
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

    public void AddDependencyLocation(string fullPath) => _directories.Add(Path.GetDirectoryName(fullPath)!);

    public Assembly LoadFromPath(string fullPath) => _context.LoadFromAssemblyPath(fullPath);

    private Assembly? Probe(AssemblyLoadContext context, AssemblyName name) =>
        _directories
            .Select(directory => Path.Combine(directory, name.Name + ".dll"))
            .Where(File.Exists)
            .Select(context.LoadFromAssemblyPath)
            .FirstOrDefault();
}
