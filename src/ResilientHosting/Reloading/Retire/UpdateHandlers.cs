using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Reflection.Metadata;

namespace ResilientHosting.Reloading;

/// <summary>
/// The methods by which libraries forget what they know of types, made for hot reload (<see cref="MetadataUpdateHandlerAttribute"/>).
/// They forget everything, that of the serving generation too, which costs its next requests a little.
/// </summary>
[RequiresUnreferencedCode("Calls methods by name.")]
internal sealed class UpdateHandlers(ReloadConsole console)
{
    private readonly HashSet<Assembly> _seen = [];
    private readonly List<(string Name, Action<Type[]?> Clear)> _handlers = [];

    public void ClearCaches()
    {
        foreach (var assembly in AppDomain.CurrentDomain.GetAssemblies().Where(IsOfInterest))
        {
            try
            {
                _handlers.AddRange(In(assembly));
            }
            catch (Exception e) when (e is IOException or TypeLoadException or BadImageFormatException)
            {
                console.Say($"can't ask {assembly.GetName().Name} to clear its caches; old generations may stay in memory: {e.Message}");
            }
        }

        foreach (var handler in _handlers.ToArray())
        {
            try
            {
                handler.Clear(null);
            }
#pragma warning disable CA1031 // A library's own failure; it may cost memory, but neither the reload nor the process.
            catch (Exception e)
#pragma warning restore CA1031
            {
                _handlers.Remove(handler);
                console.Say($"{handler.Name} can't clear its caches and is not asked again; old generations may stay in memory: {e.Message}");
            }
        }
    }

    // The core library keeps what it knows of a type with the type. To clear it would load all types of all assemblies.
    private bool IsOfInterest(Assembly assembly) =>
        !assembly.IsCollectible && !assembly.IsDynamic && assembly != typeof(object).Assembly && _seen.Add(assembly);

    private static IEnumerable<(string Name, Action<Type[]?> Clear)> In(Assembly assembly) =>
        from attribute in assembly.GetCustomAttributes<MetadataUpdateHandlerAttribute>()
        let method = attribute.HandlerType.GetMethod(
            "ClearCache", BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic, [typeof(Type[])])
        where method is not null && method.ReturnType == typeof(void)
        select ($"{attribute.HandlerType}", method.CreateDelegate<Action<Type[]?>>());
}
