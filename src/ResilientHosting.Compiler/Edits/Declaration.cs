using Microsoft.CodeAnalysis;

namespace ResilientHosting.Compiler;

/// <summary>
/// Something a file declares: a namespace, a type, a member, or the file itself. What the rest of a program can depend on is its
/// frame; what only it depends on are its bodies.
/// </summary>
/// <param name="Key">Tells it apart from its siblings, and finds it again in another version of the file.</param>
/// <param name="Node">The syntax that declares it.</param>
/// <param name="Frame">The words of its declaration without its bodies, its initializers and its members.</param>
/// <param name="Bodies">What is compiled into methods, in the order of the source.</param>
/// <param name="Initializer">What is compiled into the constructors of its type.</param>
/// <param name="Members">What is declared inside.</param>
internal sealed record Declaration(
    string Key,
    SyntaxNode Node,
    string Frame,
    IReadOnlyList<Body> Bodies,
    SyntaxNode? Initializer,
    IReadOnlyList<Declaration> Members)
{
    /// <summary>Gets this declaration and all inside it.</summary>
    public IEnumerable<Declaration> All => Members.SelectMany(member => member.All).Prepend(this);
}

/// <summary>What is compiled into one method: the syntax that declares the method, and its statements or expressions.</summary>
internal sealed record Body(SyntaxNode Owner, IReadOnlyList<SyntaxNode> Nodes)
{
    public bool SameText(Body other) =>
        Nodes.Count == other.Nodes.Count && Nodes.Zip(other.Nodes).All(pair => pair.First.ToString() == pair.Second.ToString());

    /// <summary>Whether it starts on the same lines as the other one.</summary>
    public bool SameLines(Body other) => Nodes.Zip(other.Nodes).All(pair => Line(pair.First) == Line(pair.Second));

    private static int Line(SyntaxNode node) => node.SyntaxTree.GetLineSpan(node.Span).StartLinePosition.Line;
}
