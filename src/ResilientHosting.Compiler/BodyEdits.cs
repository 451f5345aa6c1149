using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Emit;

namespace ResilientHosting.Compiler;

/// <summary>
/// Finds what differs between two versions of a program, if the difference lies inside method bodies alone. Such an edit can't change
/// what any other method compiles to, so the rest of the image stays as it is.
/// </summary>
internal static class BodyEdits
{
    /// <returns>The methods to compile again; null if anything but bodies differs.</returns>
    public static List<SemanticEdit>? Find(CSharpCompilation before, CSharpCompilation after, CancellationToken cancellationToken)
    {
        var olderTrees = before.SyntaxTrees.ToDictionary(tree => tree.FilePath);
        if (olderTrees.Count != after.SyntaxTrees.Length)
        {
            return null;
        }

        var edits = new List<SemanticEdit>();
        foreach (var newer in after.SyntaxTrees)
        {
            if (!olderTrees.TryGetValue(newer.FilePath, out var older))
            {
                return null;
            }

            if (older == newer || older.GetText(cancellationToken).ContentEquals(newer.GetText(cancellationToken)))
            {
                continue;
            }

            if (!AddEdits(edits, before, (older, Split(older, cancellationToken)), after, (newer, Split(newer, cancellationToken)), cancellationToken))
            {
                return null;
            }
        }

        return edits;
    }

    private static bool AddEdits(
        List<SemanticEdit> edits,
        CSharpCompilation before,
        (SyntaxTree Tree, Outline Outline) older,
        CSharpCompilation after,
        (SyntaxTree Tree, Outline Outline) newer,
        CancellationToken cancellationToken)
    {
        if (older.Outline.Bodies.Count != newer.Outline.Bodies.Count || !older.Outline.Frame.SequenceEqual(newer.Outline.Frame))
        {
            return false;
        }

        var (oldModel, newModel) = (before.GetSemanticModel(older.Tree), after.GetSemanticModel(newer.Tree));
        for (var i = 0; i < newer.Outline.Bodies.Count; i++)
        {
            if (older.Outline.Bodies[i].LooksLike(newer.Outline.Bodies[i]))
            {
                continue;
            }

            var oldMethod = MethodOf(older.Outline.Bodies[i].Owner, oldModel, cancellationToken);
            var newMethod = MethodOf(newer.Outline.Bodies[i].Owner, newModel, cancellationToken);
            if (oldMethod is null || newMethod is null || !SameSignature(oldMethod, newMethod))
            {
                return false;
            }

            edits.Add(new SemanticEdit(SemanticEditKind.Update, oldMethod, newMethod));
        }

        return true;
    }

    private static IMethodSymbol? MethodOf(SyntaxNode owner, SemanticModel model, CancellationToken cancellationToken)
    {
        // The symbol that a whole file with top-level statements declares is its entry point.
        var method = model.GetDeclaredSymbol(owner, cancellationToken) switch
        {
            IMethodSymbol declared => declared,
            IPropertySymbol property => property.GetMethod,
            _ => null,
        };

        // Both halves of a partial method are one method with two symbols; a whole image is simpler than telling them apart.
        return method is { PartialDefinitionPart: null, PartialImplementationPart: null } ? method : null;
    }

    /// <summary>An awaiting or returning top-level statement changes the entry point's type without a word in the frame.</summary>
    private static bool SameSignature(IMethodSymbol older, IMethodSymbol newer) =>
        older.IsAsync == newer.IsAsync && older.ReturnType.ToDisplayString() == newer.ReturnType.ToDisplayString();

    private static Outline Split(SyntaxTree tree, CancellationToken cancellationToken)
    {
        var outline = new Outline();
        outline.Visit(tree.GetRoot(cancellationToken));
        return outline;
    }

    /// <summary>A file as two lists: the bodies of its methods, and the words of everything around them.</summary>
    private sealed class Outline() : CSharpSyntaxWalker(SyntaxWalkerDepth.StructuredTrivia)
    {
        public List<string> Frame { get; } = [];

        public List<Body> Bodies { get; } = [];

        public override void VisitCompilationUnit(CompilationUnitSyntax node)
        {
            var statements = node.Members.OfType<GlobalStatementSyntax>().ToArray();
            if (statements.Length > 0)
            {
                Bodies.Add(new Body(node, statements));
            }

            base.VisitCompilationUnit(node);
        }

        public override void VisitGlobalStatement(GlobalStatementSyntax node) => VisitDirectives(node);

        public override void VisitBlock(BlockSyntax node) => TakeBody(node);

        public override void VisitArrowExpressionClause(ArrowExpressionClauseSyntax node) => TakeBody(node);

        public override void VisitToken(SyntaxToken token)
        {
            Frame.Add(token.Text);
            base.VisitToken(token);
        }

        public override void VisitTrivia(SyntaxTrivia trivia)
        {
            // #if, #nullable, #pragma and #line reach beyond the place they stand in.
            if (trivia.IsDirective)
            {
                Frame.Add(trivia.ToFullString());
            }
        }

        private void TakeBody(SyntaxNode body)
        {
            // The body of a lambda in a field's initializer belongs to no method that is declared.
            if (body.Parent is BaseMethodDeclarationSyntax or AccessorDeclarationSyntax or PropertyDeclarationSyntax or IndexerDeclarationSyntax)
            {
                Bodies.Add(new Body(body.Parent, [body]));
                VisitDirectives(body);
            }
            else
            {
                DefaultVisit(body);
            }
        }

        private void VisitDirectives(SyntaxNode body)
        {
            for (var directive = body.ContainsDirectives ? body.GetFirstDirective() : null;
                directive is not null && body.FullSpan.Contains(directive.SpanStart);
                directive = directive.GetNextDirective())
            {
                Frame.Add(directive.ToFullString());
            }
        }
    }

    private sealed record Body(SyntaxNode Owner, SyntaxNode[] Nodes)
    {
        /// <summary>The same text on the same lines: debug symbols hold line numbers, so a method that only moved is compiled again.</summary>
        public bool LooksLike(Body other) =>
            Nodes.Length == other.Nodes.Length
            && Nodes.Zip(other.Nodes).All(pair => Line(pair.First) == Line(pair.Second) && pair.First.ToString() == pair.Second.ToString());

        private static int Line(SyntaxNode node) => node.SyntaxTree.GetLineSpan(node.Span).StartLinePosition.Line;
    }
}
