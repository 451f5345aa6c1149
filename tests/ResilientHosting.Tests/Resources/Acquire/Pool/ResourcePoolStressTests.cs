using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using ResilientHosting.Resources;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Resources.Acquire;

/// <summary>
/// Parallel users do everything to one pool, in random order, while its backend fails at random in every way it can and an operator
/// clears, pauses and resizes it. Nobody has a time limit: a wake-up that is lost stops the test.
/// </summary>
public sealed class ResourcePoolStressTests
{
    private const int Users = 12;
    private const int OperationsPerUser = 30_000;
    private const int LargestSize = 6;

    // The seed is part of the test's name, so a failure tells it.
    [Theory, InlineData(20261121), InlineData(4711), InlineData(8)]
    public async Task RandomOperations_OnAFailingBackend_BooksBalance(int seed)
    {
        var time = new ManualTimeProvider();
        var backend = new Backend(seed, time);
        var (services, _) = ResourceTestHost.BuildServices(
            collection => collection.Configure<RequestResourceOptions>(NoLimits)
                .AddRequestScopedResource<Connection>(backend.CreateAsync, backend.TearDownAsync).UsePool(pool =>
            {
                pool.MaxSize = LargestSize;
                pool.MaxConcurrentCreates = 3;
                pool.AcquireTimeout = TimeSpan.FromDays(1);
                pool.MaxLifetime = TimeSpan.FromSeconds(20);
                pool.IdleTimeout = TimeSpan.FromSeconds(5);
                pool.ValidationBypass = TimeSpan.FromMilliseconds(200);
                pool.ValidationTimeout = TimeSpan.FromDays(1);
                pool.Validate = backend.ValidateAsync;
                pool.Reset = backend.ResetAsync;
            }),
            time);
        var source = (PoolSource<Connection>)services.GetRequiredService<ResourceDefinition<Connection>>().Source;
        using var done = new CancellationTokenSource();

        var clock = Task.Run(() => TurnAsync(time, done.Token), CancellationToken.None);
        var operatorAtWork = Task.Run(() => OperateAsync(source.Pool, new Random(seed), done.Token), CancellationToken.None);
        var users = Enumerable.Range(0, Users)
            .Select(number => new User(source, services, backend, unchecked((seed * 31) + number)))
            .Select(user => Task.Run(user.RunAsync))
            .ToList();
        try
        {
            await Task.WhenAll(users).WaitAsync(TimeSpan.FromMinutes(4), TestContext.Current.CancellationToken);
        }
        catch (TimeoutException)
        {
            Assert.Fail($"A wake-up was lost: {users.Count(user => !user.IsCompleted)} users still wait on {source.Pool.Statistics}.");
        }
        finally
        {
            await done.CancelAsync();
            await Task.WhenAll(clock, operatorAtWork);
        }

        await services.DisposeAsync();
        backend.AssertBalanced(LargestSize);
    }

    /// <summary>What is given up is no longer counted, and here the clock runs so fast that it would happen all the time.</summary>
    private static void NoLimits(RequestResourceOptions options) =>
        options.CreateTimeout = options.TeardownTimeout = options.ScopeTeardownBudget = TimeSpan.FromDays(1);

    /// <summary>Time passes as fast as everybody takes their turns.</summary>
    private static async Task TurnAsync(ManualTimeProvider time, CancellationToken done)
    {
        while (!done.IsCancellationRequested)
        {
            time.Advance(TimeSpan.FromMilliseconds(100));
            await Task.Yield();
        }
    }

    private static async Task OperateAsync(ResourcePool<Connection> pool, Random random, CancellationToken done)
    {
        while (!done.IsCancellationRequested)
        {
            for (var turn = random.Next(400); turn > 0; turn--)
            {
                await Task.Yield();
            }

            switch (random.Next(3))
            {
                case 0:
                    pool.Clear();
                    break;
                case 1:
                    pool.Pause();
                    await Task.Yield();
                    pool.Resume();
                    break;
                default:
                    var settings = pool.Settings;
                    pool.Apply(new ResourcePoolOptions<Connection>
                    {
                        MaxSize = random.Next(1, LargestSize + 1),
                        MaxConcurrentCreates = random.Next(1, 4),
                        Order = (ResourcePoolOrder)random.Next(2),
                        AcquireTimeout = settings.AcquireTimeout,
                        MaxLifetime = settings.MaxLifetime,
                        IdleTimeout = settings.IdleTimeout,
                        ValidationBypass = settings.ValidationBypass,
                        ValidationTimeout = settings.ValidationTimeout,
                        Validate = settings.Validate,
                        Reset = settings.Reset,
                    });
                    break;
            }
        }
    }

    private sealed class Connection
    {
        public int Users;
        public int Teardowns;
        public bool IsDetached;
    }

    private sealed class RefusedException() : Exception("refused");

    /// <summary>Fails in all ways, keeps books, and counts what lives.</summary>
    private sealed class Backend(int seed, TimeProvider time)
    {
        private readonly Random _random = new(seed);
        private int _live;
        private int _mostLive;
        private int _shared;

        public ConcurrentBag<Connection> Created { get; } = [];

        public int Next(int below)
        {
            lock (_random)
            {
                return _random.Next(below);
            }
        }

        public async ValueTask<Connection> CreateAsync(ResourceContext context, CancellationToken cancellationToken)
        {
            Enter();
            try
            {
                switch (Next(8))
                {
                    case 0:
                        throw new RefusedException();
                    case 1:
                        await Task.Yield();
                        throw new RefusedException();
                    case 2:
                        // Silent for so long that the pool may give up.
                        await Task.Delay(TimeSpan.FromSeconds(3), time, cancellationToken);
                        break;
                    case < 6:
                        await Task.Yield();
                        break;
                }
            }
            catch
            {
                Leave();
                throw;
            }

            var created = new Connection();
            Created.Add(created);
            return created;
        }

        public async ValueTask TearDownAsync(Connection connection, TeardownContext context)
        {
            Interlocked.Increment(ref connection.Teardowns);
            try
            {
                using var use = new Use(connection, this);
                await FailOrNotAsync();
            }
            finally
            {
                Leave();
            }
        }

        public async ValueTask<bool> ValidateAsync(Connection connection, CancellationToken cancellationToken)
        {
            using var use = new Use(connection, this);
            await FailOrNotAsync();
            return Next(8) > 0;
        }

        public async ValueTask<bool> ResetAsync(Connection connection, TeardownContext context)
        {
            using var use = new Use(connection, this);
            await FailOrNotAsync();
            return Next(8) > 0;
        }

        public void OnShared() => Interlocked.Increment(ref _shared);

        public void Detach(Connection connection)
        {
            connection.IsDetached = true;
            Leave();
        }

        public void AssertBalanced(int mostAllowed)
        {
            Assert.Equal(0, Volatile.Read(ref _shared));
            Assert.InRange(Volatile.Read(ref _mostLive), 2, mostAllowed);
            Assert.Equal(0, Volatile.Read(ref _live));
            Assert.All(Created, connection =>
            {
                Assert.Equal(connection.IsDetached ? 0 : 1, connection.Teardowns);
                Assert.Equal(0, connection.Users);
            });
        }

        private async Task FailOrNotAsync()
        {
            switch (Next(12))
            {
                case 0:
                    throw new RefusedException();
                case 1:
                    await Task.Yield();
                    throw new RefusedException();
                case < 5:
                    await Task.Yield();
                    break;
            }
        }

        private void Enter()
        {
            var live = Interlocked.Increment(ref _live);
            for (var most = _mostLive; live > most; most = _mostLive)
            {
                Interlocked.CompareExchange(ref _mostLive, live, most);
            }
        }

        private void Leave() => Interlocked.Decrement(ref _live);
    }

    /// <summary>Tells if somebody else is at the same object: a user, a validation, a reset or a teardown.</summary>
    private readonly struct Use : IDisposable
    {
        private readonly Connection _connection;

        public Use(Connection connection, Backend backend)
        {
            _connection = connection;
            if (Interlocked.Increment(ref connection.Users) > 1)
            {
                backend.OnShared();
            }
        }

        public void Dispose() => Interlocked.Decrement(ref _connection.Users);
    }

    private sealed class User(PoolSource<Connection> source, IServiceProvider services, Backend backend, int seed)
    {
        private static readonly ScopeOutcomeKind[] Outcomes = Enum.GetValues<ScopeOutcomeKind>();

        private readonly Random _random = new(seed);

        public async Task RunAsync()
        {
            await using var scope = services.CreateResourceScope($"user {seed}");
            for (var operation = 0; operation < OperationsPerUser; operation++)
            {
                using var cancellation = new CancellationTokenSource();
                if (await AcquireAsync(scope.Stack, cancellation) is not { } entry)
                {
                    continue;
                }

                using (new Use(entry.Value, backend))
                {
                    for (var turn = _random.Next(3); turn > 0; turn--)
                    {
                        await Task.Yield();
                    }
                }

                await GiveBackAsync(scope, entry);
            }
        }

        private async Task<PoolEntry<Connection>?> AcquireAsync(ResourceStack holder, CancellationTokenSource cancellation)
        {
            try
            {
                var acquiring = source.Pool.AcquireAsync(holder, lineage: null, cancellation.Token);
                for (var turn = _random.Next(4); turn > 0; turn--)
                {
                    await Task.Yield();
                }

                if (_random.Next(3) == 0)
                {
                    await cancellation.CancelAsync();
                }

                return await acquiring;
            }
            catch (Exception exception) when (exception is RefusedException or OperationCanceledException)
            {
                return null;
            }
        }

        private async Task GiveBackAsync(ResourceScope scope, PoolEntry<Connection> entry)
        {
            if (_random.Next(200) == 0)
            {
                backend.Detach(entry.Value);
                source.Pool.Detach(entry);
                return;
            }

            try
            {
                var outcome = new ScopeOutcome(Outcomes[_random.Next(Outcomes.Length)]);
                await source.ReturnAsync(
                    new Lease<Connection>(entry.Value, entry), new TeardownContext(outcome, scope.Services, CancellationToken.None));
            }
            catch (RefusedException)
            {
                // The reset has failed; the object goes.
                return;
            }
        }
    }
}
