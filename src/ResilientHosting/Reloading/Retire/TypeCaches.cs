using System.Collections;
using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;

namespace ResilientHosting.Reloading;

/// <summary>
/// Caches of the framework and of packages that are keyed by type and never forget one. What belongs to retired generations is taken
/// out of them; the rest stays warm.
/// </summary>
/// <remarks>
/// Some caches are known by name. Others are learned: when a search meets a concurrent dictionary that holds a retired generation by a key,
/// that key means nothing to anybody else, so it goes, now and after later reloads. Other kinds of dictionary have a lock that
/// only their owner knows, and are left alone.
/// </remarks>
[RequiresUnreferencedCode("Looks at private fields of the framework.")]
internal sealed class TypeCaches
{
    // Providers of type descriptions form chains.
    private const int MaxDepth = 32;

    // Classes, wherever they are compiled into, whose static fields lead to dictionaries.
    private static readonly string[] Known =
    [
        "Microsoft.AspNetCore.Http.ParameterBindingMethodCache",
        "Microsoft.Extensions.Internal.PropertyHelper",
        "Microsoft.EntityFrameworkCore.Internal.ServiceProviderCache",
        "System.ComponentModel.TypeDescriptor",
        "System.ComponentModel.ReflectTypeDescriptionProvider",
    ];

    private readonly List<WeakReference<IDictionary>> _learned = [];

    /// <summary>Takes the keys of retired generations out of every cache that is known.</summary>
    /// <returns>How many there were.</returns>
    public int Remove(RetiredObjects retired)
    {
        var fields = new ObjectFields();
        var caches = new HashSet<object>(ReferenceEqualityComparer.Instance);
        foreach (var assembly in AppDomain.CurrentDomain.GetAssemblies().Where(assembly => !assembly.IsCollectible && !assembly.IsDynamic))
        {
            foreach (var type in Known.Select(name => assembly.GetType(name)).OfType<Type>())
            {
                foreach (var (_, value) in StaticFields.Of(type, fields))
                {
                    Collect(value, assembly, caches, fields, MaxDepth);
                }
            }
        }

        return caches.OfType<IDictionary>().Concat(Learned()).Sum(cache => Remove(cache, retired, fields));
    }

    /// <summary>Looks for caches that have keys of retired generations, and takes these out.</summary>
    /// <returns>Whether there was one.</returns>
    public bool Learn(IEnumerable<IDictionary> dictionaries, RetiredObjects retired, ObjectFields fields)
    {
        var found = dictionaries.Where(dictionary => Remove(dictionary, retired, fields) > 0).ToArray();
        _learned.AddRange(found.Select(cache => new WeakReference<IDictionary>(cache)));
        return found.Length > 0;
    }

    public static bool IsConcurrent(Type type) => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(ConcurrentDictionary<,>);

    private List<IDictionary> Learned()
    {
        var caches = new List<IDictionary>();
        _learned.RemoveAll(learned =>
        {
            if (!learned.TryGetTarget(out var cache))
            {
                return true;
            }

            caches.Add(cache);
            return false;
        });
        return caches;
    }

    private static void Collect(object value, Assembly owner, HashSet<object> found, ObjectFields fields, int depth)
    {
        if (depth == 0 || !(value is IDictionary || value.GetType().Assembly == owner) || value is Delegate || !found.Add(value))
        {
            return;
        }

        var content = value is IDictionary dictionary ? Locked(dictionary, () => dictionary.Values.Cast<object?>().OfType<object>().ToArray()) : fields.ValuesOf(value);
        foreach (var next in content)
        {
            Collect(next, owner, found, fields, depth - 1);
        }
    }

    private static int Remove(IDictionary cache, RetiredObjects retired, ObjectFields fields) => !IsConcurrent(cache) && cache is not Hashtable ? 0 : Locked(cache, () =>
    {
        var keys = cache.Keys.Cast<object>().Where(key => retired.IsKey(key, fields)).ToArray();
        foreach (var key in keys)
        {
            cache.Remove(key);
        }

        return keys.Length;
    });

    private static T Locked<T>(IDictionary cache, Func<T> action)
    {
        if (IsConcurrent(cache))
        {
            return action();
        }

        // The one lock of TypeDescriptor's and its providers' tables; they take it before any other.
        lock (typeof(TypeDescriptor).GetField("s_commonSyncObject", BindingFlags.Static | BindingFlags.NonPublic)?.GetValue(null) ?? cache.SyncRoot)
        {
            return action();
        }
    }

    private static bool IsConcurrent(object value) => IsConcurrent(value.GetType());
}
