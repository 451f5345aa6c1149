using System.Reflection;
using Microsoft.CodeAnalysis.CSharp;

namespace ResilientHosting.Compiler;

/// <summary>
/// Before Roslyn emits anything it binds every declaration of the program, which takes a second in a large one. After an edit inside
/// bodies the declarations are those that were found good before, and nothing in its public surface can say so.
/// </summary>
/// <remarks>A compiler that keeps this state elsewhere one day checks the declarations as it always does: slower, and as correct.</remarks>
internal static class DeclarationCheck
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.DeclaredOnly;

    private static readonly PropertyInfo? Assembly = typeof(CSharpCompilation).GetProperty("SourceAssembly", Declared);
    private static readonly FieldInfo? State = Assembly?.PropertyType.GetField("_state", Declared);
    private static readonly FieldInfo? CompleteParts = State?.FieldType.GetField("_completeParts", Declared);

    /// <summary>Gets a value indicating whether the compiler in use can be told.</summary>
    public static bool CanBeSkipped => CompleteParts?.FieldType == typeof(int);

    /// <summary>Notes the declarations of a program as checked. What it says about itself is of no use any more, only what it emits.</summary>
    public static void Skip(CSharpCompilation program)
    {
        if (CanBeSkipped && Assembly!.GetValue(program) is { } assembly && State!.GetValue(assembly) is { } state)
        {
            CompleteParts!.SetValue(state, int.MaxValue);
            State.SetValue(assembly, state);
        }
    }
}
