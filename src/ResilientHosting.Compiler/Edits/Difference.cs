using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace ResilientHosting.Compiler;

/// <summary>What differs between two versions of a program by its text, where a delta may be able to express it.</summary>
internal sealed class Difference
{
    private readonly List<(Body Older, Body Newer)> _bodies = [];
    private readonly List<(Declaration Older, Declaration Newer)> _initializers = [];
    private readonly List<Declaration> _added = [];
    private readonly List<(SyntaxTree? Older, SyntaxTree Newer)> _trees = [];

    private Difference()
    {
    }

    /// <summary>Gets the bodies that are there in both versions and differ.</summary>
    public IReadOnlyList<(Body Older, Body Newer)> Bodies => _bodies;

    /// <summary>Gets the fields and properties that are there in both versions, with initializers that differ.</summary>
    public IReadOnlyList<(Declaration Older, Declaration Newer)> Initializers => _initializers;

    /// <summary>Gets the types and members that only the newer version has; members of an added type go with it.</summary>
    public IReadOnlyList<Declaration> Added => _added;

    /// <summary>Gets the files that differ, if only by a comment.</summary>
    public IReadOnlyList<(SyntaxTree? Older, SyntaxTree Newer)> Trees => _trees;

    /// <summary>Gets a value indicating whether code outside of bodies stands for other lines of the file that it was generated from.</summary>
    public bool MovesMappedLines { get; private set; }

    /// <summary>Gets a value indicating whether all that others can depend on is as it was.</summary>
    public bool IsInsideBodies => _added.Count == 0;

    /// <returns>Null if something is gone or declared in another way, or the program refers to other assemblies.</returns>
    public static Difference? Find(CSharpCompilation older, CSharpCompilation newer, Outline outline, CancellationToken cancellationToken)
    {
        var difference = new Difference();
        return difference.Compare(older, newer, outline, cancellationToken) ? difference : null;
    }

    private bool Compare(CSharpCompilation older, CSharpCompilation newer, Outline outline, CancellationToken cancellationToken)
    {
        if (!older.References.SequenceEqual(newer.References))
        {
            return false;
        }

        var (olderTrees, newerTrees) = (older.SyntaxTrees, newer.SyntaxTrees);
        Dictionary<string, SyntaxTree>? byPath = null;
        var known = 0;
        for (var i = 0; i < newerTrees.Length; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var tree = newerTrees[i];
            var before = i < olderTrees.Length && olderTrees[i].FilePath == tree.FilePath
                ? olderTrees[i]
                : (byPath ??= olderTrees.ToDictionary(other => other.FilePath)).GetValueOrDefault(tree.FilePath);
            known += before is null ? 0 : 1;
            if (before == tree || (before is not null && before.GetText(cancellationToken).ContentEquals(tree.GetText(cancellationToken))))
            {
                continue;
            }

            _trees.Add((before, tree));
            if (before is null ? !AddFile(outline[tree]) : !Compare(outline[before], outline[tree]))
            {
                return false;
            }
        }

        return known == olderTrees.Length;
    }

    private bool AddFile(Declaration file)
    {
        var root = (CompilationUnitSyntax)file.Node;
        if (file.Bodies.Count > 0 || root.AttributeLists.Count > 0 || root.Usings.Any(use => use.GlobalKeyword.IsKind(SyntaxKind.GlobalKeyword)))
        {
            return false;
        }

        file.Members.ToList().ForEach(Add);
        return true;
    }

    private void Add(Declaration declaration)
    {
        if (declaration.Node is BaseNamespaceDeclarationSyntax)
        {
            declaration.Members.ToList().ForEach(Add);
        }
        else
        {
            _added.Add(declaration);
        }
    }

    private bool Compare(Declaration older, Declaration newer)
    {
        if (older.Frame != newer.Frame || older.Bodies.Count != newer.Bodies.Count || CapturedParameters(older) != CapturedParameters(newer))
        {
            return false;
        }

        MovesMappedLines |= older.MappedLines != newer.MappedLines;
        _bodies.AddRange(older.Bodies.Zip(newer.Bodies).Where(pair => !pair.First.SameText(pair.Second)));
        if (older.Initializer?.ToString() != newer.Initializer?.ToString())
        {
            _initializers.Add((older, newer));
        }

        if (older.Members.Count == 0 && newer.Members.Count == 0)
        {
            return true;
        }

        var before = older.Members.ToDictionary(member => member.Key);
        var kept = newer.Members.Where(member => before.ContainsKey(member.Key)).ToArray();
        newer.Members.Except(kept).ToList().ForEach(Add);
        return kept.Length == before.Count && SameOrder(older, kept) && kept.All(member => Compare(before[member.Key], member));
    }

    /// <summary>The order of fields is the order their initializers run in, and the layout of a struct.</summary>
    private static bool SameOrder(Declaration older, IEnumerable<Declaration> kept) =>
        Storage(older.Members).SequenceEqual(Storage(kept));

    private static IEnumerable<string> Storage(IEnumerable<Declaration> members) =>
        members.Where(member => member.Node is BaseFieldDeclarationSyntax or PropertyDeclarationSyntax).Select(member => member.Key);

    /// <summary>A parameter of a primary constructor that a body mentions becomes a field.</summary>
    private static string CapturedParameters(Declaration type) =>
        type.Node is TypeDeclarationSyntax { ParameterList.Parameters: { Count: > 0 } parameters }
            ? string.Join(',', type.Members
                .SelectMany(member => member.Bodies)
                .SelectMany(body => body.Nodes)
                .SelectMany(node => node.DescendantTokens())
                .Where(token => token.IsKind(SyntaxKind.IdentifierToken))
                .Select(token => token.ValueText)
                .Intersect(parameters.Select(parameter => parameter.Identifier.ValueText))
                .Order(StringComparer.Ordinal))
            : "";
}
