using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.Loader;
using ResilientHosting.Reloading;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading.Retire;

[Collection(nameof(HeapInspection))]
public sealed class TypeCachesTests
{
    private static readonly ConcurrentDictionary<(string, Type), object> Cache = [];

    [Fact]
    public void ConcurrentDictionary_OnTheWayToARetiredGeneration_IsLearned()
    {
        var caches = new TypeCaches();
        Cache[("kept", typeof(string))] = "";
        var first = Fill();
        Learn(caches, first);
        Assert.Equal(("kept", typeof(string)), Assert.Single(Cache).Key);
        Assert.True(IsGone(first));

        var second = Fill();
        Assert.Equal(1, Remove(second, caches));

        Assert.True(IsGone(second));
        Cache.Clear();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static RetiredGeneration Fill()
    {
        var context = LoadedAssembly.Load();
        Cache[("leaky", LoadedAssembly.Leaky(context))] = "";
        context.Unload();
        return new RetiredGeneration(1, context);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Learn(TypeCaches caches, RetiredGeneration generation)
    {
        var (retired, fields) = (new RetiredObjects([generation]), new ObjectFields());
        var walk = new HeapWalk(retired, fields, new ManualTimeProvider());
        Assert.Single(walk.Run(StaticFields.Of(typeof(TypeCachesTests), fields)));
        Assert.True(caches.Learn(walk.Caches, retired, fields));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Remove(RetiredGeneration generation, TypeCaches caches) =>
        caches.Remove(new RetiredObjects([generation]));

    private static bool IsGone(RetiredGeneration generation)
    {
        for (var collection = 0; collection < 10 && HasContext(generation); collection++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        return !HasContext(generation);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool HasContext(RetiredGeneration generation) => generation.Context is AssemblyLoadContext;
}
