using System.Collections.Immutable;
using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Text;

namespace ResilientHosting.Compiler;

/// <summary>The files of a project as the compiler sees them: one syntax tree for each source, one text for each additional file.</summary>
internal sealed class SourceFiles(CSharpCommandLineArguments arguments)
{
    private readonly Dictionary<string, SyntaxTree> _trees = [];
    private readonly Dictionary<string, SyntaxTree> _accepted = [];
    private readonly HashSet<string> _touched = [];
    private readonly Dictionary<string, DiagnosticRow> _unreadable = [];
    private readonly Dictionary<string, AdditionalFile> _additional = arguments.AdditionalFiles
        .Select(file => file.Path).Distinct().ToDictionary(path => path, path => new AdditionalFile(path, arguments));

    public ImmutableArray<AdditionalText> AdditionalTexts => [.. _additional.Values];

    /// <summary>One error for each file that could not be read the last time.</summary>
    public IEnumerable<DiagnosticRow> Unreadable => _unreadable.Values;

    public IEnumerable<SyntaxTree> ParseAll()
    {
        foreach (var path in arguments.SourceFiles.Select(file => file.Path).Distinct())
        {
            if (Parse(path) is { } tree)
            {
                _trees[path] = tree;
                _touched.Add(path);
            }
        }

        return _trees.Values;
    }

    /// <summary>Gets a value indicating whether anything but comments and white space differs from the program accepted last.</summary>
    public bool Differ => _touched.Any(path =>
        !_accepted.TryGetValue(path, out var older) || !_trees.TryGetValue(path, out var newer) || !SameWords(older, newer));

    /// <summary>Whether a file is C#, and not something that a generator makes C# of.</summary>
    public static bool IsCode(string path) => Path.GetExtension(path) == ".cs";

    /// <summary>The program with these files has been compiled without an error.</summary>
    public void Accept()
    {
        foreach (var path in _touched)
        {
            _accepted.Remove(path);
            if (_trees.TryGetValue(path, out var tree))
            {
                _accepted[path] = tree;
            }
        }

        _touched.Clear();
    }

    public CSharpCompilation Update(CSharpCompilation compilation, Generators generators, IReadOnlyCollection<string> changed)
    {
        foreach (var path in changed)
        {
            _touched.Add(path);
            if (_additional.ContainsKey(path) || !IsCode(path))
            {
                UpdateAdditional(generators, path);
                continue;
            }

            // Not to be cancelled half-way: the next compilation goes on from what was taken in here.
            var tree = Parse(path);
            if (_trees.Remove(path, out var old))
            {
                compilation = tree is null ? compilation.RemoveSyntaxTrees(old) : compilation.ReplaceSyntaxTree(old, tree);
            }
            else if (tree is not null)
            {
                compilation = compilation.AddSyntaxTrees(tree);
            }

            if (tree is not null)
            {
                _trees[path] = tree;
            }
        }

        return compilation;
    }

    /// <summary>A file for a generator such as Razor's: what is gone must be gone for the generator too.</summary>
    private void UpdateAdditional(Generators generators, string path)
    {
        _additional.Remove(path, out var old);
        var fresh = File.Exists(path) ? _additional[path] = new AdditionalFile(path, arguments) : null;
        generators.Replace(old, fresh);
    }

    /// <summary>Directives count as words, and so does documentation, which generators read. Errors have to be reported again.</summary>
    private static bool SameWords(SyntaxTree older, SyntaxTree newer)
    {
        var (before, after) = (older.GetRoot(), newer.GetRoot());
        return !before.ContainsDiagnostics && !after.ContainsDiagnostics
            && before.DescendantTokens(descendIntoTrivia: true).Select(token => (token.RawKind, token.Text))
                .SequenceEqual(after.DescendantTokens(descendIntoTrivia: true).Select(token => (token.RawKind, token.Text)));
    }

    /// <summary>Parses a file; null if it is gone or can't be read (which is noted, unless it is simply gone).</summary>
    private SyntaxTree? Parse(string path)
    {
        _unreadable.Remove(path);
        try
        {
            return CSharpSyntaxTree.ParseText(Read(path, arguments), arguments.ParseOptions, path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (InvalidDataException)
        {
            _unreadable[path] = ("CS2015", (int)DiagnosticSeverity.Error, path, 0, 0, "The file is binary, not text");
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _unreadable[path] = ("CS1504", (int)DiagnosticSeverity.Error, path, 0, 0, $"The file could not be opened: {e.Message}");
            return null;
        }
    }

    private static SourceText Read(string path, CSharpCommandLineArguments arguments)
    {
        // Shared with writers and renames: the reloader must never be why an editor can't save.
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 1);
        return SourceText.From(file, arguments.Encoding ?? Encoding.UTF8, arguments.ChecksumAlgorithm, throwIfBinaryDetected: true);
    }

    private sealed class AdditionalFile(string path, CSharpCommandLineArguments arguments) : AdditionalText
    {
        private readonly Lazy<SourceText?> _text = new(() => File.Exists(path) ? Read(path, arguments) : null);

        public override string Path => path;

        public override SourceText? GetText(CancellationToken cancellationToken = default) => _text.Value;
    }
}
