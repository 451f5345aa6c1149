using Microsoft.CodeAnalysis;

namespace ResilientHosting.Compiler;

/// <summary>
/// Something a file declares: a namespace, a type, a member, or the file itself. What the rest of a program can depend on is its
/// frame; what only it depends on are its bodies.
/// </summary>
/// <param name="Key">Tells it apart from its siblings, and finds it again in another version of the file.</param>
/// <param name="Node">The syntax that declares it.</param>
/// <param name="Frame">The words of its declaration without its bodies, its initializers and its members.</param>
/// <param name="MappedLines">Which lines of another file its frame stands for, as a generator says with <c>#line</c>.</param>
/// <param name="Bodies">What is compiled into methods, in the order of the source.</param>
/// <param name="Initializer">What is compiled into the constructors of its type.</param>
/// <param name="Members">What is declared inside.</param>
internal sealed record Declaration(
    string Key,
    SyntaxNode Node,
    string Frame,
    string MappedLines,
    IReadOnlyList<Body> Bodies,
    SyntaxNode? Initializer,
    IReadOnlyList<Declaration> Members)
{
    /// <summary>Finds all that both versions of this declaration declare, itself first.</summary>
    public IEnumerable<(Declaration Older, Declaration Newer)> PairWith(Declaration newer)
    {
        var before = Members.ToDictionary(member => member.Key);
        return newer.Members
            .Where(member => before.ContainsKey(member.Key))
            .SelectMany(member => before[member.Key].PairWith(member))
            .Prepend((this, newer));
    }
}

/// <summary>What is compiled into one method: the syntax that declares the method, and its statements or expressions.</summary>
internal sealed record Body(SyntaxNode Owner, IReadOnlyList<SyntaxNode> Nodes)
{
    public bool SameText(Body other) =>
        Nodes.Count == other.Nodes.Count && Nodes.Zip(other.Nodes).All(pair => pair.First.ToString() == pair.Second.ToString());
}
