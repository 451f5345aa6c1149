using System.Globalization;
using Microsoft.Extensions.Configuration;
using ResilientHosting.Tests.Infrastructure;
using YamlDotNet.RepresentationModel;

namespace ResilientHosting.Tests.Sample;

/// <summary>The manifest, appsettings.json, pgbouncer.ini and nginx.conf say the same, and what they say fits together.</summary>
public sealed class KubernetesTests
{
    private static readonly YamlMappingNode[] Manifest = ReadManifest();
    private static readonly IConfiguration Settings =
        new ConfigurationBuilder().AddJsonFile(PathOf("App", "appsettings.json")).Build();

    private static readonly Dictionary<string, string> Local = ReadIni(File.ReadAllText(PathOf("stack", "pgbouncer.ini")));
    private static readonly Dictionary<string, string> Cluster = ReadIni(Text(Find("ConfigMap", "pgbouncer"), "data", "pgbouncer.ini"));

    private static TimeSpan DrainDelay => Settings.GetValue<TimeSpan>("Drain:Delay");

    private static TimeSpan ShutdownTimeout => Settings.GetValue<TimeSpan>("ShutdownTimeout");

    [Fact]
    public void Manifest_EveryObject_HasAVersionAndAKindAndAName()
    {
        Assert.Equal(
            [
                "Deployment/orders", "Service/orders", "PodDisruptionBudget/orders",
                "ConfigMap/pgbouncer", "Service/postgres", "Deployment/pgbouncer", "Service/pgbouncer",
            ],
            Manifest.Select(static item => $"{Text(item, "kind")}/{Text(item, "metadata", "name")}"));
        Assert.All(Manifest, static item => Assert.NotEmpty(Text(item, "apiVersion")));
    }

    [Fact]
    public void Manifest_PgBouncer_HasTheSettingsOfTheScript()
    {
        Assert.NotEmpty(Local);
        Assert.All(Local, static setting => Assert.Equal(setting.Value, Cluster[setting.Key]));

        // Each PgBouncer has the whole budget: a second one would double it.
        Assert.Equal(1, Number(Find("Deployment", "pgbouncer"), "spec", "replicas"));
        Assert.Equal("Recreate", Text(Find("Deployment", "pgbouncer"), "spec", "strategy", "type"));
    }

    [Fact]
    public void Manifest_AllReplicasOfARollout_MayAskPgBouncer()
    {
        var orders = Find("Deployment", "orders");
        var replicas = Number(orders, "spec", "replicas") + Number(orders, "spec", "strategy", "rollingUpdate", "maxSurge");
        var connections = Settings.GetValue<int>("Pool:MaxSize") + Settings.GetValue<int>("Cache:MaxConnections");
        Assert.InRange(replicas * connections, 1, Whole(Local["max_client_conn"]));

        // Who waits for the budget hears about it before the proxy loses its patience.
        var proxy = File.ReadLines(PathOf("stack", "nginx.conf")).Single(static line => line.Contains("proxy_read_timeout"));
        Assert.InRange(Whole(Local["query_wait_timeout"]), 1, Whole(proxy.Split(' ')[^1].TrimEnd(';', 's')) - 1);
    }

    [Fact]
    public void Manifest_Stop_LeavesTimeForTheDrainAndTheRunningRequests()
    {
        var pod = Node(Find("Deployment", "orders"), "spec", "template", "spec");
        var grace = TimeSpan.FromSeconds(Number(pod, "terminationGracePeriodSeconds"));
        Assert.InRange(grace, DrainDelay + ShutdownTimeout + TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(2));

        // Seen as not ready long before the port closes.
        var probe = Node(Container(), "readinessProbe");
        var noticed = TimeSpan.FromSeconds(Number(probe, "periodSeconds") * Number(probe, "failureThreshold"));
        Assert.InRange(noticed * 2, TimeSpan.FromSeconds(1), DrainDelay);

        // What the slowest handlers take, and what work without a client is left.
        Assert.InRange(Settings.GetValue<TimeSpan>("Pace:Payment"), TimeSpan.Zero, ShutdownTimeout - TimeSpan.FromSeconds(2));
        Assert.Equal(0, Number(Find("Deployment", "orders"), "spec", "strategy", "rollingUpdate", "maxUnavailable"));
    }

    [Fact]
    public void Manifest_Probes_AskWhatTheApplicationAnswers()
    {
        var program = File.ReadAllText(PathOf("App", "Program.cs"));
        foreach (var probe in new[] { "readinessProbe", "startupProbe", "livenessProbe" })
        {
            var path = Text(Container(), probe, "httpGet", "path");
            Assert.Equal(probe == "livenessProbe" ? "/health/live" : "/health/ready", path);
            Assert.Contains($"MapHealthChecks(\"{path}\"", program, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("orders")]
    [InlineData("pgbouncer")]
    public void Manifest_Selectors_FindThePods(string name)
    {
        var labels = Node(Find("Deployment", name), "spec", "template", "metadata", "labels");
        Assert.Equal(labels, Node(Find("Deployment", name), "spec", "selector", "matchLabels"));
        Assert.Equal(labels, Node(Find("Service", name), "spec", "selector"));
        if (name == "orders")
        {
            Assert.Equal(labels, Node(Find("PodDisruptionBudget", name), "spec", "selector", "matchLabels"));
        }
    }

    [Fact]
    public void Manifest_Password_ComesFromASecretAlone()
    {
        var environment = ((YamlSequenceNode)Node(Container(), "env")).ToDictionary(static entry => Text(entry, "name"));
        Assert.Equal("orders-database", Text(environment["DATABASE_PASSWORD"], "valueFrom", "secretKeyRef", "name"));
        var connection = new Npgsql.NpgsqlConnectionStringBuilder(Text(environment["ConnectionStrings__Orders"], "value"));
        Assert.Equal("$(DATABASE_PASSWORD)", connection.Password);
        Assert.Equal(("pgbouncer", Whole(Cluster["listen_port"])), (connection.Host!, connection.Port));
        Assert.Equal(connection.Port, Number(Node(Find("Service", "pgbouncer"), "spec", "ports")[0], "port"));
    }

    private static string PathOf(params string[] path) => Repository.PathOf(["samples", "ScaleOut", .. path]);

    private static YamlMappingNode[] ReadManifest()
    {
        using var text = File.OpenText(PathOf("kubernetes.yaml"));
        var manifest = new YamlStream();
        manifest.Load(text);
        return [.. manifest.Documents.Select(static document => (YamlMappingNode)document.RootNode)];
    }

    private static Dictionary<string, string> ReadIni(string text) => text.Split('\n')
        .TakeWhile(static line => !line.StartsWith("[databases]", StringComparison.Ordinal))
        .Select(static line => line.Split('=', 2, StringSplitOptions.TrimEntries))
        .Where(static parts => parts.Length == 2 && !parts[0].StartsWith(';'))
        .ToDictionary(static parts => parts[0], static parts => parts[1]);

    private static YamlMappingNode Find(string kind, string name) =>
        Manifest.Single(item => Text(item, "kind") == kind && Text(item, "metadata", "name") == name);

    private static YamlNode Container() => Node(Find("Deployment", "orders"), "spec", "template", "spec", "containers")[0];

    private static YamlNode Node(YamlNode node, params ReadOnlySpan<string> path)
    {
        foreach (var key in path)
        {
            node = node[key];
        }

        return node;
    }

    private static string Text(YamlNode node, params ReadOnlySpan<string> path) => ((YamlScalarNode)Node(node, path)).Value!;

    private static int Number(YamlNode node, params ReadOnlySpan<string> path) => Whole(Text(node, path));

    private static int Whole(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
