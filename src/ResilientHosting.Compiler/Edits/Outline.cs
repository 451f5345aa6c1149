using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace ResilientHosting.Compiler;

/// <summary>Splits files into what they declare; a file that stays as it is only once.</summary>
internal sealed class Outline
{
    private readonly ConditionalWeakTable<SyntaxTree, Declaration> _known = [];

    public Declaration this[SyntaxTree tree] => _known.GetValue(tree, static tree => Describe((CompilationUnitSyntax)tree.GetRoot()));

    private static Declaration Describe(CompilationUnitSyntax file)
    {
        var statements = file.Members.OfType<GlobalStatementSyntax>().ToArray();
        var members = file.Members.Where(member => member is not GlobalStatementSyntax);
        var bodies = statements.Length == 0 ? Array.Empty<Body>() : [new Body(file, statements)];
        return Declare("", file, bodies, null, members);
    }

    private static Declaration Describe(MemberDeclarationSyntax member) => member switch
    {
        BaseNamespaceDeclarationSyntax space => Declare("namespace " + space.Name, space, [], null, space.Members),
        ClassDeclarationSyntax or StructDeclarationSyntax or InterfaceDeclarationSyntax or RecordDeclarationSyntax =>
            DescribeType((TypeDeclarationSyntax)member),
        BaseMethodDeclarationSyntax method => Declare(KeyOf(method), method, BodiesOf(method, Initializer(method), method.Body, method.ExpressionBody)),
        PropertyDeclarationSyntax property => Declare(
            "property " + property.ExplicitInterfaceSpecifier + property.Identifier.Text,
            property,
            AccessorsOf(property, property.ExpressionBody),
            property.Initializer),
        IndexerDeclarationSyntax indexer => Declare(
            $"indexer {indexer.ExplicitInterfaceSpecifier}{Types(indexer.ParameterList)}", indexer, AccessorsOf(indexer, indexer.ExpressionBody)),
        EventDeclarationSyntax accessors => Declare(
            "event " + accessors.ExplicitInterfaceSpecifier + accessors.Identifier.Text, accessors, AccessorsOf(accessors, null)),

        // A constant's value is compiled into whoever uses it, so it is no initializer. Several fields in one declaration are rare.
        FieldDeclarationSyntax { Declaration.Variables: [{ Initializer: { } value, ArgumentList: null } variable] } field
            when !field.Modifiers.Any(SyntaxKind.ConstKeyword) => Declare("field " + variable.Identifier.Text, field, [], value),
        BaseFieldDeclarationSyntax fields => Declare("field " + string.Join(',', fields.Declaration.Variables.Select(v => v.Identifier.Text)), fields, []),
        EnumDeclarationSyntax type => Declare("type " + type.Identifier.Text, type, []),
        DelegateDeclarationSyntax type => Declare($"type {type.Identifier.Text}`{type.Arity}", type, []),

        // Whatever the language adds later is compared as it stands.
        _ => Declare("other " + member, member, []),
    };

    private static Declaration DescribeType(TypeDeclarationSyntax type) =>
        Declare($"type {type.Identifier.Text}`{type.Arity}", type, [], null, type.Members);

    private static Declaration Declare(
        string key, SyntaxNode node, IReadOnlyList<Body> bodies, SyntaxNode? initializer = null, IEnumerable<MemberDeclarationSyntax>? members = null)
    {
        var inside = members?.Select(Describe).ToArray() ?? [];
        var (frame, lines) = FrameOf(node, bodies, initializer, inside);
        return new Declaration(key, node, frame, lines, bodies, initializer, WithUniqueKeys(inside));
    }

    /// <summary>Two blocks of a namespace in one file, or a program with errors, have keys in common.</summary>
    private static Declaration[] WithUniqueKeys(Declaration[] members) =>
        members.DistinctBy(member => member.Key).Count() == members.Length
            ? members
            : [.. members.GroupBy(member => member.Key).SelectMany(same => same.Select((member, i) => i == 0 ? member : member with { Key = $"{member.Key} #{i}" }))];

    private static (string Frame, string MappedLines) FrameOf(
        SyntaxNode node, IEnumerable<Body> bodies, SyntaxNode? initializer, Declaration[] members)
    {
        var (frame, lines, body) = (new StringBuilder(), new StringBuilder(), bodies.SelectMany(body => body.Nodes).ToHashSet());
        var apart = members.Select(member => member.Node).Concat(body).Append(initializer).ToHashSet();
        foreach (var part in node.DescendantNodesAndTokens(child => !apart.Contains(child) && !IsInterception(child)))
        {
            if (part.IsToken)
            {
                AddDirectives(part.GetLeadingTrivia());
                frame.Append(part.AsToken().Text).Append(' ');
                AddDirectives(part.GetTrailingTrivia());
            }
            else if (body.Contains(part.AsNode()!))
            {
                frame.Append("{} ");
                if (part.AsNode() is { ContainsDirectives: true } statements)
                {
                    AddDirectives(ReachingBeyond(statements));
                }
            }
        }

        // Whether a body is a block or an expression makes no difference to others, nor does an initializer.
        return (frame.ToString().TrimEnd(' ', ';'), lines.ToString());

        // #if, #nullable, #pragma and #line reach beyond the place they stand in.
        void AddDirectives(IEnumerable<SyntaxTrivia> trivia)
        {
            foreach (var directive in trivia.Where(trivia => trivia.IsDirective))
            {
                switch (directive.GetStructure())
                {
                    // The checksum is for debuggers. It tells of each edit of the file that a generator has read.
                    case RegionDirectiveTriviaSyntax or EndRegionDirectiveTriviaSyntax or PragmaChecksumDirectiveTriviaSyntax:
                        break;
                    case LineOrSpanDirectiveTriviaSyntax { File.IsMissing: false } line:
                        frame.Append("#line ").Append(line.File.Text);
                        lines.Append(directive.ToFullString());
                        break;
                    default:
                        frame.Append(directive.ToFullString());
                        break;
                }
            }
        }
    }

    /// <summary>
    /// A block is compiled again if anything in it changes, its directives too. For what comes after it only the last word of a kind counts:
    /// a generator maps each piece of code in a block, and ends with what was before.
    /// </summary>
    private static IEnumerable<SyntaxTrivia> ReachingBeyond(SyntaxNode body)
    {
        var directives = body.DescendantTrivia().Where(trivia => trivia.IsDirective).ToArray();
        return body is not BlockSyntax
            ? directives
            : directives.Where((directive, i) =>
                directive.SpanStart < body.SpanStart || !directives.Skip(i + 1).Any(later => Overrules(later, directive)));

        static bool Overrules(SyntaxTrivia later, SyntaxTrivia directive) => (later.GetStructure(), directive.GetStructure()) switch
        {
            (LineOrSpanDirectiveTriviaSyntax, LineOrSpanDirectiveTriviaSyntax) => true,
            (NullableDirectiveTriviaSyntax { TargetToken.RawKind: 0 }, NullableDirectiveTriviaSyntax { TargetToken.RawKind: 0 }) => true,
            _ => false,
        };
    }

    /// <summary>Where a generator intercepts calls changes with every edit of the file they stand in; nobody asks for it at run time.</summary>
    private static bool IsInterception(SyntaxNode node) =>
        node is AttributeListSyntax { Attributes: [var attribute] } && attribute.Name.ToString().Contains("InterceptsLocation", StringComparison.Ordinal);

    private static string KeyOf(BaseMethodDeclarationSyntax method) => method switch
    {
        MethodDeclarationSyntax m => $"method {m.ExplicitInterfaceSpecifier}{m.Identifier.Text}`{m.Arity}{Types(m.ParameterList)}",
        ConstructorDeclarationSyntax c => $"constructor {(c.Modifiers.Any(SyntaxKind.StaticKeyword) ? "static" : "")}{Types(c.ParameterList)}",
        OperatorDeclarationSyntax o => $"operator {o.ExplicitInterfaceSpecifier}{o.CheckedKeyword} {o.OperatorToken}{Types(o.ParameterList)}",
        ConversionOperatorDeclarationSyntax c => $"conversion {c.ExplicitInterfaceSpecifier}{c.CheckedKeyword} {c.Type}{Types(c.ParameterList)}",
        _ => "finalizer",
    };

    private static string Types(BaseParameterListSyntax parameters) => $"({string.Join(',', parameters.Parameters.Select(p => p.Type))})";

    private static ConstructorInitializerSyntax? Initializer(BaseMethodDeclarationSyntax method) => (method as ConstructorDeclarationSyntax)?.Initializer;

    private static Body[] AccessorsOf(BasePropertyDeclarationSyntax property, ArrowExpressionClauseSyntax? getter) =>
    [
        .. getter is null ? [] : BodiesOf(property, getter),
        .. property.AccessorList?.Accessors.SelectMany(accessor => BodiesOf(accessor, accessor.Body, accessor.ExpressionBody)) ?? [],
    ];

    private static Body[] BodiesOf(SyntaxNode owner, params SyntaxNode?[] nodes) =>
        nodes.OfType<SyntaxNode>().ToArray() is { Length: > 0 } body ? [new Body(owner, body)] : [];
}
