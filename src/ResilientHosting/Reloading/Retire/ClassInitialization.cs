using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ResilientHosting.Reloading;

/// <summary>
/// Whether a class has been initialized. To read a static field by reflection initializes its class, which would run code that the
/// application itself has perhaps never run; the runtime knows, but has no public way to ask.
/// </summary>
/// <remarks>
/// The runtime describes its own structures in its core library, all but the meaning of one bit. That is tried on two classes first;
/// where it doesn't prove right, no class counts as initialized.
/// </remarks>
[RequiresUnreferencedCode("Looks at structures of the runtime.")]
internal static class ClassInitialization
{
    private const BindingFlags Any = BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;

    private const int InitializedFlag = 1;

    private static readonly int? Offset = FindOffset();

    /// <summary>Gets a value indicating whether it can be told.</summary>
    public static bool IsKnown => Offset is not null;

    /// <summary>Whether a class, not an array or an open generic one, has been initialized.</summary>
    public static bool HasRun(Type type) => Offset is { } offset && Read(type, offset);

    private static bool Read(Type type, int offset) =>
        (Marshal.ReadInt32(Marshal.ReadIntPtr(type.TypeHandle.Value, offset)) & InitializedFlag) != 0;

    private static int? FindOffset()
    {
        var core = typeof(object).Assembly;
        if (core.GetType("System.Runtime.CompilerServices.MethodTable")?.GetField("AuxiliaryData", Any)
                ?.GetCustomAttribute<FieldOffsetAttribute>() is not { Value: var offset }
            || core.GetType("System.Runtime.CompilerServices.MethodTableAuxiliaryData") is not { } auxiliary
            || auxiliary.GetFields(Any).FirstOrDefault(field => !field.IsStatic)?.Name != "Flags")
        {
            return null;
        }

        RuntimeHelpers.RunClassConstructor(typeof(Initialized).TypeHandle);
        return Read(typeof(Initialized), offset) && !Read(typeof(Uninitialized), offset) ? offset : null;
    }

    private static class Initialized
    {
        internal static readonly object Value;

        static Initialized() => Value = new object();
    }

    private static class Uninitialized
    {
        internal static readonly object Value;

        static Uninitialized() => Value = new object();
    }
}
