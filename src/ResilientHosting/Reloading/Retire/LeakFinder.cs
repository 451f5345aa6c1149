using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.Loader;

namespace ResilientHosting.Reloading;

/// <summary>
/// Finds what keeps retired generations in memory: threads that still run their code, and ways of fields that lead from the static
/// fields of what outlives them to an object of theirs. Holds them itself while it looks, and not a moment longer.
/// </summary>
[RequiresUnreferencedCode("Reads the fields of all objects.")]
internal sealed class LeakFinder(TypeCaches caches, TimeProvider clock)
{
    private const int MaxCauses = 10;
    private const int MaxCausesOfARoot = 3;
    private const int MaxCollections = 10;

    /// <summary>Looks on a thread of its own, of low priority, and writes down the causes.</summary>
    public Task FindAsync(IReadOnlyList<RetiredGeneration> held)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() =>
        {
            try
            {
                // A second look is due where the first has mended something.
                Collect(held);
                if (!Find(held))
                {
                    Collect(held);
                    Find(held);
                }

                done.SetResult();
            }
#pragma warning disable CA1031 // Passed on to whoever waits.
            catch (Exception e)
#pragma warning restore CA1031
            {
                done.SetException(e);
            }
        })
        {
            Name = "dev reloader (looks for leaks)",
            IsBackground = true,
            Priority = ThreadPriority.Lowest,
        };
        thread.UnsafeStart();
        return done.Task;
    }

    /// <summary>Sure of what the collections in the background may have missed: each can free what keeps the next from freeing more.</summary>
    private static void Collect(IReadOnlyList<RetiredGeneration> held)
    {
        for (var collection = 0; collection < MaxCollections && held.Any(IsAlive); collection++)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true);
            GC.WaitForPendingFinalizers();
        }
    }

    // Not inlined: a variable of the caller would hold the context over the next collection.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool IsAlive(RetiredGeneration generation) => generation.Context is not null;

    /// <returns>False if a cache was found and emptied, so that what was seen no longer holds.</returns>
    private bool Find(IReadOnlyList<RetiredGeneration> held)
    {
        var retired = new RetiredObjects(held);
        if (retired.IsEmpty)
        {
            return true;
        }

        var fields = new ObjectFields();
        var walk = new HeapWalk(retired, fields, clock);
        var paths = walk.Run(Roots(retired, fields));
        if (paths.Count > 0 && caches.Learn(walk.Caches, retired, fields))
        {
            return false;
        }

        foreach (var generation in held)
        {
            var starts = retired.Assemblies.Where(own => own.Generation == generation.Number)
                .SelectMany(own => ThreadStarts.In(own.Assembly)).Distinct().ToArray();
            LeakCause[] causes =
            [
                .. GenerationThreads.Of(generation.Number).Select(thread => LeakCause.Of(thread, starts))

                    // The shortest ways from each field are enough: what they lead to holds the rest.
                    .Concat(paths.Where(path => path.Generation == generation.Number)
                        .GroupBy(path => path.Root)
                        .SelectMany(root => root.Select(LeakCause.Of).Distinct().Take(MaxCausesOfARoot)))
                    .Distinct()
                    .Take(MaxCauses),
            ];
            generation.Causes = causes.Length > 0 ? causes : [walk.IsIncomplete ? LeakCause.NotFound : LeakCause.Unknown(starts)];
        }

        return true;
    }

    private static IEnumerable<(FieldInfo, object)> Roots(RetiredObjects retired, ObjectFields fields) =>
        AppDomain.CurrentDomain.GetAssemblies()
            .Where(assembly => !assembly.IsDynamic && retired.OwnerOf(assembly) is null && AssemblyLoadContext.GetLoadContext(assembly) is not RoslynLoadContext)
            .SelectMany(assembly => StaticFields.In(assembly, fields));
}
