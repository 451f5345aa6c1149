using System.Runtime.CompilerServices;

namespace ResilientHosting.Reloading;

/// <summary>
/// Which generation's code each thread runs now. It is told by the execution context, which threads and tasks inherit from whoever
/// starts them; a thread that was started unsafely has none and isn't seen here.
/// </summary>
internal static class GenerationThreads
{
    private static readonly ConditionalWeakTable<Thread, Mark> Marks = [];

    /// <summary>Called on a thread whenever another generation's context becomes its own. It must not throw: the runtime would end.</summary>
    public static void Notice(AsyncLocalValueChangedArgs<Generation?> change) =>
        Marks.GetOrCreateValue(Thread.CurrentThread).Generation = change.CurrentValue?.Number;

    /// <summary>The threads that run the code of a generation at this moment.</summary>
    public static Thread[] Of(int generation) =>
        [.. Marks.Where(thread => thread.Value.Generation == generation && thread.Key.IsAlive).Select(thread => thread.Key)];

    // A number, so that a mark keeps nothing alive.
    private sealed class Mark
    {
        public int? Generation { get; set; }
    }
}
