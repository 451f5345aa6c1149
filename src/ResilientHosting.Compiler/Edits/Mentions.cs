using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace ResilientHosting.Compiler;

/// <summary>
/// Code that is as it was can mean something else once a name is added: a better overload, a closer type. So every body that mentions an
/// added name is compiled again, and where a declaration mentions one, nothing is known any more.
/// </summary>
internal static class Mentions
{
    /// <returns>Null if the added names may change what other code declares.</returns>
    public static IEnumerable<(Body Older, Body Newer)>? Of(
        Difference difference, CSharpCompilation before, CSharpCompilation after, Outline outline, CancellationToken cancellationToken)
    {
        var names = difference.Added.SelectMany(NamesOf).ToHashSet();
        if (names.Count == 0)
        {
            return [];
        }

        var olderTrees = before.SyntaxTrees.ToDictionary(tree => tree.FilePath);
        var bodies = new List<(Body, Body)>();
        foreach (var tree in after.SyntaxTrees)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!olderTrees.TryGetValue(tree.FilePath, out var older) || !names.Any(name => ContainsWord(tree.ToString(), name)))
            {
                continue;
            }

            var declarations = outline[older].PairWith(outline[tree]).ToArray();
            if (declarations.Any(pair => names.Any(name => MentionsInFrame(pair.Newer, name))))
            {
                return null;
            }

            bodies.AddRange(declarations
                .SelectMany(pair => pair.Older.Bodies.Zip(pair.Newer.Bodies))
                .Where(pair => names.Any(name => pair.Second.Nodes.Any(node => ContainsWord(node.ToString(), name)))));
        }

        return bodies;
    }

    private static IEnumerable<string> NamesOf(Declaration added)
    {
        if (OwnName(added.Node) is not { } name)
        {
            yield break;
        }

        yield return name;
        if (name.EndsWith("Attribute", StringComparison.Ordinal))
        {
            yield return name[..^"Attribute".Length];
        }

        // Extension members of an added static class are seen without the class being named.
        foreach (var extension in added.Members.Select(member => member.Node).OfType<MethodDeclarationSyntax>())
        {
            if (extension.ParameterList.Parameters is [{ Modifiers: [{ RawKind: (int)SyntaxKind.ThisKeyword }, ..] }, ..])
            {
                yield return extension.Identifier.ValueText;
            }
        }
    }

    /// <summary>A declaration's own name is no mention of another one; an initializer that mentions one is part of the constructors.</summary>
    private static bool MentionsInFrame(Declaration declaration, string name)
    {
        var own = OwnName(declaration.Node) == name ? 1 : 0;
        return (ContainsWord(declaration.Frame, name) && declaration.Frame.Split(' ').Count(word => word == name) > own)
            || (declaration.Initializer is { } initializer && ContainsWord(initializer.ToString(), name));
    }

    private static string? OwnName(SyntaxNode node) => node switch
    {
        BaseTypeDeclarationSyntax type => type.Identifier.ValueText,
        DelegateDeclarationSyntax type => type.Identifier.ValueText,
        MethodDeclarationSyntax method => method.Identifier.ValueText,
        PropertyDeclarationSyntax property => property.Identifier.ValueText,
        EventDeclarationSyntax handlers => handlers.Identifier.ValueText,
        BaseFieldDeclarationSyntax { Declaration.Variables: [var variable] } => variable.Identifier.ValueText,
        _ => null,
    };

    private static bool ContainsWord(string text, string word)
    {
        for (var at = text.IndexOf(word, StringComparison.Ordinal); at >= 0; at = text.IndexOf(word, at + 1, StringComparison.Ordinal))
        {
            var end = at + word.Length;
            if ((at == 0 || !SyntaxFacts.IsIdentifierPartCharacter(text[at - 1]))
                && (end == text.Length || !SyntaxFacts.IsIdentifierPartCharacter(text[end])))
            {
                return true;
            }
        }

        return false;
    }
}
