using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Emit;

namespace ResilientHosting.Compiler;

/// <summary>Turns what differs by text into the symbols that a delta has to hold.</summary>
internal sealed class ProgramEdits
{
    private readonly CSharpCompilation _before;
    private readonly CSharpCompilation _after;
    private readonly CancellationToken _cancellationToken;
    private readonly Dictionary<ISymbol, SemanticEdit> _edits = new(SymbolEqualityComparer.Default);

    private ProgramEdits(CSharpCompilation before, CSharpCompilation after, CancellationToken cancellationToken) =>
        (_before, _after, _cancellationToken) = (before, after, cancellationToken);

    /// <returns>Null if a delta can't express the difference.</returns>
    public static IReadOnlyCollection<SemanticEdit>? Find(
        CSharpCompilation before, CSharpCompilation after, Difference difference, Outline outline, CancellationToken cancellationToken)
    {
        var edits = new ProgramEdits(before, after, cancellationToken);
        return difference.Bodies.All(body => edits.Update(body.Older, body.Newer))
            && difference.Initializers.All(edits.UpdateConstructors)
            && difference.Added.All(edits.Insert)
            && edits.UpdateMentions(Mentions.Of(difference, before, after, outline, cancellationToken))
            ? edits._edits.Values
            : null;
    }

    private bool UpdateMentions(IEnumerable<(Body Older, Body Newer)>? mentions) => mentions?.All(body => Update(body.Older, body.Newer)) == true;

    private bool Update(Body older, Body newer) =>
        MethodOf(older.Owner, _before) is { } oldMethod && MethodOf(newer.Owner, _after) is { } newMethod && Update(oldMethod, newMethod);

    private bool Update(IMethodSymbol older, IMethodSymbol newer)
    {
        // An awaiting or returning top-level statement changes the entry point's type without a word in the frame.
        if (older.IsAsync != newer.IsAsync || older.ReturnType.ToDisplayString() != newer.ReturnType.ToDisplayString())
        {
            return false;
        }

        UpdateSymbol(older, newer);
        return true;
    }

    private bool UpdateConstructors((Declaration Older, Declaration Newer) initialized) => UpdateConstructors(initialized.Newer.Node);

    /// <summary>An initializer is compiled into every constructor that doesn't call another one of the type.</summary>
    private bool UpdateConstructors(SyntaxNode member)
    {
        if (SymbolOf(member, _after) is not { ContainingType: { } newType, IsStatic: var isStatic } || Counterpart(newType) is not { } oldType)
        {
            return false;
        }

        var (oldConstructors, newConstructors) = isStatic
            ? (oldType.StaticConstructors, newType.StaticConstructors)
            : (oldType.InstanceConstructors, newType.InstanceConstructors);
        if (isStatic && oldConstructors.IsEmpty)
        {
            return newConstructors.All(InsertSymbol);
        }

        return oldConstructors.Length == newConstructors.Length
            && oldConstructors.Zip(newConstructors).All(pair => CallsAnother(pair.Second) || Update(pair.First, pair.Second));
    }

    private bool CallsAnother(IMethodSymbol constructor) =>
        constructor.DeclaringSyntaxReferences is [var declaration]
        && declaration.GetSyntax(_cancellationToken) is ConstructorDeclarationSyntax { Initializer.RawKind: (int)SyntaxKind.ThisConstructorInitializer };

    private bool Insert(Declaration added)
    {
        if (SymbolOf(added.Node, _after) is not { } symbol || !Additions.CanBeExpressed(symbol, added))
        {
            return false;
        }

        // A part of a partial type that is there already adds members to it, not a type. A new namespace is a new name for all.
        if (symbol is INamedTypeSymbol type)
        {
            return NamespaceBefore(type.ContainingNamespace) is not null && Counterpart(type) is null && InsertSymbol(type);
        }

        return UpdateNullability(symbol.ContainingType) && (added.Initializer is null || UpdateConstructors(added.Node)) && symbol switch
        {
            IPropertySymbol property => InsertSymbol(property) && Accessors(property.GetMethod, property.SetMethod),
            IEventSymbol handlers => InsertSymbol(handlers) && Accessors(handlers.AddMethod, handlers.RemoveMethod),
            _ => InsertSymbol(symbol),
        };
    }

    /// <summary>
    /// What members say about nullable references is written down relative to what most members of their type say. One more member may
    /// change that, so all of them are written down again.
    /// </summary>
    private bool UpdateNullability(INamedTypeSymbol newType)
    {
        if (_edits.ContainsKey(newType))
        {
            return true;
        }

        if (Counterpart(newType) is not { } oldType)
        {
            return false;
        }

        UpdateSymbol(oldType, newType);
        var before = oldType.GetMembers().Where(IsWritten).ToLookup(member => member.ToDisplayString());
        foreach (var member in newType.GetMembers().Where(IsWritten))
        {
            if (before[member.ToDisplayString()].FirstOrDefault(other => other.Kind == member.Kind) is { } older)
            {
                UpdateSymbol(older, member);
            }
        }

        return true;

        static bool IsWritten(ISymbol member) => member is { IsImplicitlyDeclared: false, Kind: not SymbolKind.NamedType };
    }

    private void UpdateSymbol(ISymbol older, ISymbol newer) => _edits[newer] = new SemanticEdit(SemanticEditKind.Update, older, newer);

    private bool Accessors(params IMethodSymbol?[] accessors) => accessors.OfType<IMethodSymbol>().All(InsertSymbol);

    private bool InsertSymbol(ISymbol symbol)
    {
        _edits[symbol] = new SemanticEdit(SemanticEditKind.Insert, null, symbol);
        return true;
    }

    private INamedTypeSymbol? Counterpart(INamedTypeSymbol type)
    {
        var name = type.ContainingType is { } outer
            ? Counterpart(outer)?.GetTypeMembers(type.Name, type.Arity)
            : NamespaceBefore(type.ContainingNamespace)?.GetTypeMembers(type.Name, type.Arity);
        return name is [var only] ? only : null;
    }

    private INamespaceSymbol? NamespaceBefore(INamespaceSymbol space) => space.IsGlobalNamespace
        ? _before.SourceModule.GlobalNamespace
        : NamespaceBefore(space.ContainingNamespace)?.GetNamespaceMembers().FirstOrDefault(inner => inner.Name == space.Name);

    private IMethodSymbol? MethodOf(SyntaxNode owner, CSharpCompilation program)
    {
        // The symbol that a whole file with top-level statements declares is its entry point.
        var method = SymbolOf(owner, program) switch
        {
            IMethodSymbol declared => declared,
            IPropertySymbol property => property.GetMethod,
            _ => null,
        };

        // Both halves of a partial method are one method with two symbols; a whole image is simpler than telling them apart.
        return method is { PartialDefinitionPart: null, PartialImplementationPart: null } ? method : null;
    }

    private ISymbol? SymbolOf(SyntaxNode node, CSharpCompilation program) => program.GetSemanticModel(node.SyntaxTree).GetDeclaredSymbol(
        node is BaseFieldDeclarationSyntax { Declaration.Variables: [var variable] } ? variable : node, _cancellationToken);
}
