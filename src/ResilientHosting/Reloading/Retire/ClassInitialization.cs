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
/// The runtime describes its own structures in its core library, so nothing about their layout is assumed here. What is read there is
/// tried on two classes first. Where it doesn't prove right, no class counts as initialized.
/// </remarks>
[RequiresUnreferencedCode("Looks at structures of the runtime.")]
internal static class ClassInitialization
{
    private const BindingFlags Any = BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;

    private static readonly (int Offset, int Flag)? Layout = FindLayout();

    /// <summary>Gets a value indicating whether it can be told.</summary>
    public static bool IsKnown => Layout is not null;

    /// <summary>Whether a class, not an array or an open generic one, has been initialized.</summary>
    public static bool HasRun(Type type) => Layout is var (offset, flag) && Read(type, offset, flag);

    private static bool Read(Type type, int offset, int flag) =>
        (Marshal.ReadInt32(Marshal.ReadIntPtr(type.TypeHandle.Value, offset)) & flag) != 0;

    private static (int Offset, int Flag)? FindLayout()
    {
        var core = typeof(object).Assembly;
        if (core.GetType("System.Runtime.CompilerServices.MethodTable")?.GetField("AuxiliaryData", Any)
                ?.GetCustomAttribute<FieldOffsetAttribute>() is not { Value: var offset }
            || core.GetType("System.Runtime.CompilerServices.MethodTableAuxiliaryData") is not { } auxiliary
            || auxiliary.GetFields(Any).FirstOrDefault(field => !field.IsStatic)?.Name != "Flags"
            || auxiliary.GetField("enum_flag_Initialized", Any)?.GetRawConstantValue() is not uint flag)
        {
            return null;
        }

        RuntimeHelpers.RunClassConstructor(typeof(Initialized).TypeHandle);
        return Read(typeof(Initialized), offset, (int)flag) && !Read(typeof(Uninitialized), offset, (int)flag) ? (offset, (int)flag) : null;
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
