using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using ResilientHosting.Resources;

namespace ResilientHosting.Tests.Aborts;

/// <summary>Books what every request holds: created when, torn down how often, and with which outcome.</summary>
public sealed class ResourceLedger
{
    private readonly ConcurrentDictionary<string, Entry> _entries = new();

    public IReadOnlyCollection<string> Ids => [.. _entries.Keys];

    public void AddResource(IServiceCollection services) => services.AddRequestScopedResource<Held>(
        (context, _) =>
        {
            var id = RequestGates.IdOf(context.HttpContext!);
            Interlocked.Increment(ref EntryOf(id).Created);
            return ValueTask.FromResult(new Held(id));
        },
        (held, teardown) =>
        {
            EntryOf(held.Id).Outcomes.Enqueue(teardown.Outcome.Kind);
            return ValueTask.CompletedTask;
        });

    /// <summary>Touches the resource in every request, also in those whose handler is never reached because its body is cut.</summary>
    public static void UseResource(IApplicationBuilder app) => app.Use(next => async context =>
    {
        await context.RequestServices.GetRequiredService<IRequestResource<Held>>().GetAsync(context.RequestAborted);
        await next(context);
    });

    /// <summary>What a request's resource went through: "created 1, torn down: Aborted" is as it should be after an abort.</summary>
    public string StoryOf(string id)
    {
        var entry = EntryOf(id);
        return $"created {entry.Created}, torn down: {string.Join(" and ", entry.Outcomes)}";
    }

    /// <summary>Closes the books of all requests so far.</summary>
    public void Forget() => _entries.Clear();

    private Entry EntryOf(string id) => _entries.GetOrAdd(id, _ => new Entry());

    private sealed class Entry
    {
        public int Created;

        public ConcurrentQueue<ScopeOutcomeKind> Outcomes { get; } = new();
    }

    private sealed record Held(string Id);
}
