using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace ResilientHosting.Compiler;

/// <summary>
/// Which new types and members a delta can add. The runtime takes nearly anything while nothing of the image is loaded; what is left out
/// would change what other code means, or what the compiler writes by itself.
/// </summary>
internal static class Additions
{
    // The language calls these without naming them, so nobody can tell which code an added one concerns.
    private static readonly HashSet<string> CalledWithoutName =
    [
        "Add", "Deconstruct", "Dispose", "DisposeAsync", "GetEnumerator", "GetAsyncEnumerator", "MoveNext", "MoveNextAsync", "Current",
        "GetAwaiter", "GetResult", "IsCompleted", "OnCompleted", "UnsafeOnCompleted", "Length", "Count", "Slice", "GetPinnableReference",
        "Select", "SelectMany", "Where", "Join", "GroupJoin", "OrderBy", "OrderByDescending", "ThenBy", "ThenByDescending", "GroupBy", "Cast",
        "AppendLiteral", "AppendFormatted",
    ];

    // The compiler writes these itself, as long as nobody else does.
    private static readonly HashSet<string> WrittenForRecords = ["PrintMembers", "Equals", "GetHashCode", "ToString", "EqualityContract", "Clone"];

    public static bool CanBeExpressed(ISymbol symbol, Declaration added) => symbol switch
    {
        INamedTypeSymbol type => !type.GetMembers().Any(member => member is IMethodSymbol { IsExtensionMethod: true } && CalledWithoutName.Contains(member.Name)),
        IMethodSymbol method => method is { MethodKind: MethodKind.Ordinary, PartialDefinitionPart: null, PartialImplementationPart: null, IsExtern: false }
            && CanJoin(method),
        IPropertySymbol property => property is { IsIndexer: false, IsRequired: false, PartialDefinitionPart: null, PartialImplementationPart: null }
            && CanJoin(property)
            && (IsComputed(added) || CanHoldMore(property.ContainingType)),
        IEventSymbol => CanJoin(symbol) && CanHoldMore(symbol.ContainingType),
        IFieldSymbol field => !field.IsRequired && CanJoin(symbol) && CanHoldMore(symbol.ContainingType),
        _ => false,
    };

    /// <summary>A method that is there already would have to become virtual to implement a new member of an interface.</summary>
    private static bool CanJoin(ISymbol member) =>
        !CalledWithoutName.Contains(member.Name)
        && member.ContainingType.TypeKind is TypeKind.Class or TypeKind.Struct
        && !(member.ContainingType.IsRecord && WrittenForRecords.Contains(member.Name));

    /// <summary>A struct's fields are its layout; a record's are part of the members the compiler writes for it.</summary>
    private static bool CanHoldMore(INamedTypeSymbol type) =>
        type is { TypeKind: TypeKind.Class, IsRecord: false }
        && !type.GetAttributes().Any(attribute => attribute.AttributeClass?.Name == "StructLayoutAttribute");

    private static bool IsComputed(Declaration property) => property.Node is PropertyDeclarationSyntax declaration
        && (declaration.AccessorList?.Accessors.Count ?? 1) == property.Bodies.Count
        && !declaration.DescendantNodes().Any(node => node.IsKind(SyntaxKind.FieldExpression));
}
