using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using System.Runtime.Loader;
using ResilientHosting.Reloading;

namespace ResilientHosting.Tests.Reloading.Retire;

/// <summary>A small assembly of its own, loaded so that it can be unloaded, as a generation's are.</summary>
internal static class LoadedAssembly
{
    private static readonly byte[] Image = Emit();

    /// <summary>Loads it as a generation of its own.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static Generation AsGeneration(int number) => new(number, Load());

    /// <summary>Loads it for as long as the caller keeps the context.</summary>
    public static AssemblyLoadContext Load()
    {
        var context = new AssemblyLoadContext("leaky", isCollectible: true);
        context.LoadFromStream(new MemoryStream(Image));
        return context;
    }

    /// <summary>Its one class.</summary>
    public static Type Leaky(AssemblyLoadContext context) => context.Assemblies.Single().GetType("Leaky", throwOnError: true)!;

    /// <summary>Its one static method, as a handler of an event.</summary>
    public static EventHandler Handler(AssemblyLoadContext context) => Leaky(context).GetMethod("Handle")!.CreateDelegate<EventHandler>();

    private static byte[] Emit()
    {
        var assembly = new PersistedAssemblyBuilder(new AssemblyName("Leaky"), typeof(object).Assembly);
        var type = assembly.DefineDynamicModule("Leaky").DefineType("Leaky", TypeAttributes.Public | TypeAttributes.Class);
        type.DefineDefaultConstructor(MethodAttributes.Public);
        var handle = type.DefineMethod(
            "Handle", MethodAttributes.Public | MethodAttributes.Static, typeof(void), [typeof(object), typeof(EventArgs)]);
        handle.GetILGenerator().Emit(OpCodes.Ret);
        type.CreateType();
        using var image = new MemoryStream();
        assembly.Save(image);
        return image.ToArray();
    }
}
