using System.Runtime.CompilerServices;
using System.Runtime.Loader;
using ResilientHosting.Reloading;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading.Retire;

[Collection(nameof(HeapInspection))]
public sealed class RetiredGenerationsTests : IDisposable
{
    private static readonly List<object> Holder = [];

    private readonly ManualTimeProvider _clock = new();
    private readonly StringWriter _said = new();
    private readonly RetiredGenerations _retired;

    public RetiredGenerationsTests() =>
        _retired = new RetiredGenerations(_clock, new ReloadConsole(TextWriter.Synchronized(_said)));

    private string[] Said => [.. _said.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => line.Contains("stays in memory", StringComparison.Ordinal))];

    public void Dispose()
    {
        Holder.Clear();
        _said.Dispose();
    }

    [Fact]
    public async Task GenerationThatNothingHolds_IsCollectedAndNotMentioned()
    {
        Retire(1, hold: false);

        await AdvanceUntilAsync(1, RetiredState.Collected);

        Assert.Empty(Said);
    }

    [Fact]
    public async Task GenerationsHeldByTheSameField_AreExplainedOnce()
    {
        Retire(1, hold: true);
        await AdvanceUntilAsync(1, RetiredState.Held);
        Retire(2, hold: true);
        await AdvanceUntilAsync(2, RetiredState.Held);

        var line = Assert.Single(Said);
        Assert.StartsWith("dev reloader: generation 1 has ended but stays in memory, held by ", line, StringComparison.Ordinal);
        Assert.Contains("static field RetiredGenerationsTests.Holder[] -> Leaky", line, StringComparison.Ordinal);
        Assert.All(_retired.Known, generation => Assert.NotEmpty(generation.Causes));
    }

    [Fact]
    public async Task HeldGeneration_OnceReleased_IsCollectedInALaterRound()
    {
        Retire(1, hold: true);
        await AdvanceUntilAsync(1, RetiredState.Held);

        // What was held for long can take the collector longer than what never was.
        Holder.Clear();
        for (var later = 2; later < 10 && Of(1).State == RetiredState.Held; later++)
        {
            Retire(later, hold: false);
            await AdvanceUntilAsync(later, RetiredState.Collected);
        }

        Assert.Equal(RetiredState.Collected, Of(1).State);
        Assert.Empty(Of(1).Causes);
    }

    [Fact]
    public async Task GenerationThatHasNotEnded_IsNotLookedAt()
    {
        var running = RetireRunning(1);
        Retire(2, hold: true);

        await AdvanceUntilAsync(2, RetiredState.Held);
        Assert.Equal(RetiredState.Ending, Of(1).State);
        Assert.Single(Said);

        End(running);
        Retire(3, hold: false);
        await AdvanceUntilAsync(1, RetiredState.Collected);
    }

    [Fact]
    public void ProcessesOwnStart_IsNotRetired()
    {
        _retired.Add(new Generation(0, AssemblyLoadContext.Default));

        Assert.Empty(_retired.Known);
    }

    private RetiredGeneration Of(int number) => _retired.Known.Single(generation => generation.Number == number);

    private async Task AdvanceUntilAsync(int number, RetiredState state)
    {
        using var limit = new CancellationTokenSource(ConsoleLines.Timeout);
        while (Of(number).State != state)
        {
            limit.Token.ThrowIfCancellationRequested();
            if (_clock.PendingTimers > 0)
            {
                _clock.Advance(TimeSpan.FromSeconds(2));
            }

            await Task.Yield();
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Retire(int number, bool hold)
    {
        var context = LoadedAssembly.Load();
        var generation = new Generation(number, context);
        if (hold)
        {
            Holder.Add(LoadedAssembly.Leaky(context).GetConstructors()[0].Invoke(null));
        }

        generation.SetFinished(0);
        _retired.Add(generation);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private StrongBox<Generation?> RetireRunning(int number)
    {
        var generation = LoadedAssembly.AsGeneration(number);
        _retired.Add(generation);
        return new StrongBox<Generation?>(generation);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void End(StrongBox<Generation?> generation)
    {
        generation.Value!.SetFinished(0);
        generation.Value = null;
    }
}
